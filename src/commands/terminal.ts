/**
 * What a person sees: progress, and tables of text.
 *
 * @module
 */

import type { StrongestAssociations } from "../association/strongest.ts";
import type { StreamProgress } from "../corpus/stream.ts";
import { duration, plural } from "../base/number_text.ts";
import { legible } from "../base/legible.ts";
import { type AxiomResult, verdictText } from "../experiments/axioms/mod.ts";

/** Seconds between progress lines where standard error is not a terminal. */
const PLAIN_INTERVAL = 10;

/** Progress on standard error: one line that is rewritten on a terminal; otherwise a plain line now and then, and the last one. */
export function createProgress(): {
  show(text: () => string, last?: boolean): void;
  end(): void;
} {
  const terminal = Deno.stderr.isTerminal();
  let before = performance.now(), shown = false;
  return {
    show(text, last = false) {
      const now = performance.now();
      if (now - before < (terminal ? 200 : PLAIN_INTERVAL * 1000) && !last) return;
      before = now;
      const line = legible(text());
      writeError(terminal ? `\r\x1b[K${line}` : `${line}\n`);
      shown = terminal;
    },
    end() {
      if (shown) writeError("\n");
      shown = false;
    },
  };
}

/** How far a corpus is after these seconds: images, samples, speed, and the time that is left or was taken. */
export function progressText(
  { done, total, failed, samples }: StreamProgress,
  seconds: number,
): string {
  const rate = done / seconds;
  return `${done}/${total} image${total === 1 ? "" : "s"}, ${plural(samples, "sample")}${
    failed ? `, ${failed} failed` : ""
  }, ${rate.toFixed(rate < 10 ? 1 : 0)} images/s${
    done < total ? leftText((total - done) / rate) : `, ${duration(seconds)}`
  }`;
}

/** How long it will take still, to be added to a line of progress; nothing where that is not known. */
export function leftText(seconds: number): string {
  return Number.isFinite(seconds) ? `, ${duration(seconds)} left` : "";
}

/** Writes to standard error. Nobody may be reading any more (`2>&1 | head`): that ends no run. */
function writeError(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** A number in a table of text, perhaps with an exponent or a percent sign, or a bound; nothing, or no value. */
const NUMBER = /^((?:[≤≥] ?)?-?[\d.]+(?:e[+-]?\d+)?%?|NaN|n\/a|)$/;

/** Rows of text in aligned columns; columns of numbers are aligned to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...all.map((row) => width(row[c] ?? ""))));
  const numeric = header.map((_, c) =>
    rows.length > 0 && rows.every((row) => NUMBER.test(row[c] ?? ""))
  );
  return all.map((row) =>
    row.map((cell, c) => {
      const space = " ".repeat(widths[c] - width(cell));
      return numeric[c] ? space + cell : cell + space;
    }).join("  ").trimEnd()
  ).join("\n");
}

/** A value to two decimals; `n/a` for NaN. What rounds to zero carries no sign. */
export function decimals(value: number): string {
  if (Number.isNaN(value)) return "n/a";
  const text = value.toFixed(2);
  return text === "-0.00" ? "0.00" : text;
}

/** The strongest associations as a table under a line that says what they are; or, without any, a line that says so. */
export function associationsText(
  { rule, rows }: StrongestAssociations,
  samples: number,
): string {
  if (rows.length === 0) {
    const why = samples === 0 ? "there are no samples" : "no object and class have a value";
    return `No associations: ${why}`;
  }
  const several = rows.some(({ methods }) => methods);
  const table = textTable(
    [
      "object",
      "class",
      ...several ? ["value", "least", "most", "same sign"] : ["method", "value"],
      "importance",
      "with both",
      "with object",
      "with class",
    ],
    rows.map(({ object, class: name, method, value, methods, importance, ...counts }) => [
      legible(object),
      legible(name),
      ...methods
        ? [
          decimals(value),
          decimals(methods.least),
          decimals(methods.greatest),
          `${methods.agreeing}/${methods.defined}`,
        ]
        : [method, decimals(value)],
      decimals(importance),
      String(counts.both),
      String(counts.withObject),
      String(counts.withClass),
    ]),
  );
  return `Strongest associations (${rule}; ${plural(samples, "sample")}):\n\n${table}`;
}

/** Columns of a table of pairs that are beside each other. */
const BESIDE = 12;

/**
 * The lower triangle of a figure of pairs, with its rows numbered. Of many columns, some are beside each other and the others below, with
 * the rows that have anything in them.
 */
export function pairTable(
  names: readonly string[],
  figure: (row: number, column: number) => number,
): string {
  const blocks: string[] = [];
  for (let from = 0; from < names.length - 1; from += BESIDE) {
    const columns = [...names.keys()].slice(from, Math.min(from + BESIDE, names.length - 1));
    const rows = [...names.keys()].slice(from === 0 ? 0 : from + 1);
    blocks.push(textTable(
      ["", "method", ...columns.map((column) => String(column + 1))],
      rows.map((row) => [
        String(row + 1),
        names[row],
        ...columns.map((column) => column < row ? decimals(figure(row, column)) : ""),
      ]),
    ));
  }
  return blocks.join("\n\n");
}

/** Columns a text takes; control characters of untrusted names are made visible by the caller's `legible`. */
function width(text: string): number {
  return [...text].length;
}

/** Prints lines on standard error. */
export function printRemarks(lines: readonly string[]): void {
  for (const line of lines) console.error(line);
}

/** Prints that an image could not be used. */
export function printFailure(path: string, reason: string): void {
  console.error(`failed: ${legible(path)}: ${legible(reason)}`);
}

/** Prints a verdict on a method. */
export function printVerdict({ method, axiom, verdict }: AxiomResult): void {
  console.error(`${method}: ${axiom}: ${verdictText(verdict)}`);
}
