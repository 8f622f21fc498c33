/**
 * The CAM methods. To add one: a file here, a line in `METHODS`, a test in `tests/methods/`.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";
import { cam } from "./cam.ts";
import { gradCam } from "./grad_cam.ts";
import type { Method } from "./method.ts";

export * from "./method.ts";

/** All methods, in the order in which they are listed and run. */
export const METHODS: readonly Method[] = [gradCam, cam];

/**
 * Methods by their names on the command line; `all` stands for every one. Each is returned once, in the order of
 * `METHODS`.
 *
 * @throws {UsageError} for an unknown name or an empty list.
 */
export function findMethods(names: readonly string[]): Method[] {
  const known = METHODS.map((method) => method.name);
  for (const name of names) {
    if (name !== "all" && !known.includes(name)) {
      throw new UsageError(
        `Cannot use method ${JSON.stringify(name)}: give one or more of ${
          known.join(", ")
        }, or all`,
      );
    }
  }
  const found = METHODS.filter(({ name }) => names.includes(name) || names.includes("all"));
  if (found.length === 0) {
    throw new UsageError(`Cannot choose methods: none given; give some of ${known.join(", ")}`);
  }
  return found;
}
