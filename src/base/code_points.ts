/**
 * An order of strings that depends on nothing but their characters.
 *
 * @module
 */

/**
 * Compares two strings by Unicode code point, for `sort`: negative, 0 or positive. Unlike a locale's order it is the same on every
 * machine, and unlike `<` on strings (UTF-16 units) it is the order of the UTF-8 bytes, so of SQLite's and of `LC_ALL=C sort`.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = a.charCodeAt(at) - b.charCodeAt(at);
    if (difference === 0) continue;
    // Where the units differ, two surrogates of one pair compare like the whole code points (the leading halves are equal).
    const surrogateA = (a.charCodeAt(at) & 0xf800) === 0xd800;
    const surrogateB = (b.charCodeAt(at) & 0xf800) === 0xd800;
    return surrogateA === surrogateB ? difference : surrogateA ? 1 : -1;
  }
  return a.length - b.length;
}
