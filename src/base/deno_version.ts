/**
 * The version of Deno, for the places where an older one needs help.
 *
 * @module
 */

/** Whether this Deno is older than a version. */
export function denoIsBefore(major: number, minor: number): boolean {
  const [ours = 0, second = 0] = Deno.version.deno.split(".").map(Number);
  return ours < major || (ours === major && second < minor);
}
