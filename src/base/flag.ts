/**
 * Names of options as messages give them.
 *
 * @module
 */

/**
 * An option's name as it is given on the command line: `boxMean` → `--box-mean`. Messages name options by this function, from whatever
 * rank; a test holds every name that is given here against the table in `run/options/`.
 */
export function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
