/**
 * Work that does not depend on the explained class, done once for a sample or for a batch.
 *
 * @module
 */

import type { MethodContext } from "./method.ts";

/**
 * Keeps what `make` yields for a row of a context's batch as long as the context is in use, so that further classes of the same
 * sample take it up. Each call makes its own store.
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

/**
 * Keeps what `make` yields for a context as long as the context is in use, so that further classes of the same batch take it up: all
 * of a method that knows no class. Each call makes its own store. All who ask share the answer: none may write into it, and it
 * holds nothing that has to be disposed of, so no values on the GPU.
 */
export function perContext<T>(
  make: (context: MethodContext) => Promise<T>,
): (context: MethodContext) => Promise<T> {
  const stores = new WeakMap<MethodContext, Promise<T>>();
  return (context) => {
    let found = stores.get(context);
    if (!found) stores.set(context, found = make(context));
    return found;
  };
}
