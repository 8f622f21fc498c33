/**
 * Work that does not depend on the explained class, done once for a sample.
 *
 * @module
 */

import type { MethodContext } from "./method.ts";

/**
 * Keeps what `make` yields for a row of a context's batch as long as the context is in use, so that further classes of the same
 * sample take it up. Each call makes a store of its own.
 */
export function perSample<T>(
  make: (context: MethodContext, row: number) => Promise<T>,
): (context: MethodContext, row: number) => Promise<T> {
  const stores = new WeakMap<MethodContext, Map<number, Promise<T>>>();
  return (context, row) => {
    let store = stores.get(context);
    if (!store) stores.set(context, store = new Map());
    let found = store.get(row);
    if (!found) store.set(row, found = make(context, row));
    return found;
  };
}
