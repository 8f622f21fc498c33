/**
 * Numbers as text, one way everywhere: a true minus sign, `n/a` for NaN, thin digit groups.
 *
 * @module
 */

/** A value with fixed decimals: `0.41`, `−0.08`, `n/a` for NaN, `∞`; a value that rounds to zero carries no sign. */
export function fixed(value: number, digits = 2): string {
  if (Number.isNaN(value)) return "n/a";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** Three digits that matter: `0.965`, `−0.0148`, below a thousandth `5.49e−7`. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return fixed(value);
  const small = value !== 0 && Math.abs(value) < 1e-3;
  return (small ? value.toExponential(2) : value.toPrecision(3)).replaceAll("-", "−");
}

/** A count with its thousands apart: `25 869` (a narrow no-break space). */
export function count(value: number): string {
  return Number.isNaN(value) ? "n/a" : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** A p value: three decimals, below that `< 0.001`. */
export function probability(value: number): string {
  if (Number.isNaN(value)) return "n/a";
  return value < 0.001 ? "< 0.001" : fixed(value, 3);
}

/** Seconds as people say them: `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "n/a";
  if (seconds < 1) return `${fixed(seconds, 2)} s`;
  if (seconds < 59.95) return `${fixed(seconds, 1)} s`;
  const whole = Math.round(seconds);
  const [large, small, units] = whole < 3600
    ? [Math.floor(whole / 60), whole % 60, ["min", "s"]]
    : [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), ["h", "min"]];
  return `${large} ${units[0]} ${String(small).padStart(2, "0")} ${units[1]}`;
}

/** A coordinate for SVG: at most two decimals, so that files are small and equal on every machine. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}

/** "1 box", "2 boxes". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A count in a file's own words: one beyond 2^53, which a number cannot hold exactly, is "more than" the largest that it can. */
export function wholeText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : `more than ${Number.MAX_SAFE_INTEGER}`;
}
