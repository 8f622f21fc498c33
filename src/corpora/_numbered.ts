/**
 * Several annotations of one image in one row.
 *
 * @module
 */

/** The annotations of one image as one: the columns of the second with `.2` after their names, and so on. */
export function numbered(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  return Object.fromEntries(
    all.flatMap((columns, i) =>
      Object.entries(columns).map(([name, text]) => [i === 0 ? name : `${name}.${i + 1}`, text])
    ),
  );
}
