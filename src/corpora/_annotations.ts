/**
 * Several annotations of one image: in several rows of a table, or in several tables.
 *
 * @module
 */

type Columns = Readonly<Record<string, string>>;

/** Columns that the analyses know; they are found without regard to case. */
const KNOWN = /^(?:emotion|valence|arousal|ambiguity|label)(?:\.\d+)?$/i;

/** A column's name as the analyses look for it. */
export function columnName(name: string): string {
  return KNOWN.test(name) ? name.toLowerCase() : name;
}

/** A name's parts: the name, and the number of the annotation, from 1. */
function parts(name: string): [string, number] {
  const [, base, number] = /^(.+)\.([2-9]|[1-9]\d+)$/.exec(name) ?? [];
  return base === undefined ? [name, 1] : [base, Number(number)];
}

/**
 * The annotations of one image as one: the columns of the second with `.2` after their names, and so on. An annotation that has numbers already counts
 * as so many.
 */
export function numbered(all: readonly Columns[]): Record<string, string> {
  const found: Record<string, string> = {};
  let before = 0;
  for (const columns of all) {
    let most = 1;
    for (const [name, text] of Object.entries(columns)) {
      const [base, number] = parts(name);
      most = Math.max(most, number);
      const place = before + number;
      found[place === 1 ? base : `${base}.${place}`] = text;
    }
    before += most;
  }
  return found;
}

/**
 * What a further table says of an image, added to what is known: other columns beside those there are; where a column that both have differs, all
 * that both have are a further annotation (`emotion.2` …), so that no value is lost.
 *
 * @returns also the name of the first column that differs, if one does.
 */
export function merged(
  known: Columns,
  further: Columns,
): { annotation: Record<string, string>; differs?: string } {
  const own = new Map(Object.keys(known).map((name) => [name.toLowerCase(), name]));
  const named = Object.entries(further)
    .map(([name, text]) => [own.get(name.toLowerCase()) ?? name, text] as const);
  const both = named.filter(([name]) => Object.hasOwn(known, name));
  const added = Object.fromEntries(named.filter(([name]) => !Object.hasOwn(known, name)));
  const differs = both.find(([name, text]) => known[name] !== text)?.[0];
  if (differs === undefined) return { annotation: { ...known, ...added } };
  return { annotation: { ...numbered([known, Object.fromEntries(both)]), ...added }, differs };
}
