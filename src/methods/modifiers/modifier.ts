/**
 * What a modifier is: it makes a CAM method into another one.
 *
 * @module
 */

import type { Method } from "../method.ts";

/** Makes methods into others. */
export interface Modifier {
  /** What is added to a method's name, kebab-case. */
  readonly name: string;
  /** Why a method cannot be modified so; `undefined` when it can. */
  unsupported(method: Method): string | undefined;
  /** The modified method, named `METHOD+MODIFIER`. */
  apply(method: Method): Method;
}

/** What names and describes a modified method, and what it was made from. */
export function named(method: Method, modifier: string, title: string) {
  return {
    name: `${method.name}+${modifier}`,
    title: `${method.title}, ${title}`,
    settings: { ...method.settings, modifiers: [...modifiersOf(method), modifier] },
    base: method.base ?? method,
  };
}

function modifiersOf({ settings }: Method): readonly string[] {
  return settings?.modifiers as readonly string[] | undefined ?? [];
}
