/**
 * FindingEmo (Mertens et al., NeurIPS 2024): its annotations, as the package findingemo-light has them. They are CC BY-NC-SA 4.0 and not
 * part of emocam: users bring them.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";
import { columnAt, repeatedColumn, withPoint } from "../../base/csv_table.ts";
import { tableOf } from "../_text_table.ts";
import { corpusPath } from "./_rows.ts";

/** What one annotator said about one image. */
export interface FindingEmoAnnotation {
  /** The annotation's number. */
  readonly index: number;
  readonly user: string;
  /** The image's path in the corpus: with forward slashes, without a leading one. */
  readonly image: string;
  readonly tags: readonly string[];
  /** Age groups of the people seen. */
  readonly age: readonly string[];
  /** −3 (negative) … 3 (positive). */
  readonly valence: number;
  /** 0 (calm) … 6 (intense). */
  readonly arousal: number;
  /** One of 24 in the published table; any text is read, as tables of this kind have other spellings. */
  readonly emotion: string;
  /** What the decision was based on. */
  readonly factors: readonly string[];
  /** How hard it was to decide, 0 … 6. */
  readonly ambiguity: number;
  /** As it is written. */
  readonly datetime: string;
}

const COLUMNS = [
  "index",
  "user",
  "image_path",
  "tags",
  "age",
  "valence",
  "arousal",
  "emotion",
  "dec_factors",
  "ambiguity",
  "datetime",
] as const;
type Column = typeof COLUMNS[number];

/** A row of a table with these columns, as text. */
export interface AnnotationRow {
  /** The image's path in the corpus. */
  readonly image: string;
  /** Every column as it is written, further ones included. */
  readonly columns: Readonly<Record<string, string>>;
  readonly annotation: FindingEmoAnnotation;
}

/**
 * Reads `annotations_single.ann`: a CSV table with the columns index, user, image_path, tags, age, valence, arousal, emotion, dec_factors,
 * ambiguity, datetime, in any order; fields with several values have commas inside quotes. Further columns are kept as text. An image may
 * have several rows.
 *
 * @param origin the file's name, for messages.
 * @throws {UsageError} naming the line and the value that cannot be: a missing column, another number of fields, a value that is not a number or
 *   out of its range, an empty emotion, a path out of the corpus.
 */
export function readFindingEmo(text: string, origin: string): AnnotationRow[] {
  const fail = (line: number | undefined, what: string): never => {
    throw new UsageError(
      `Cannot read annotations from ${origin}${line ? `, line ${line}` : ""}: ${what}`,
    );
  };
  const { columns, rows, delimiter } = tableOf(text, fail);
  const missing = COLUMNS.filter((name) => columnAt(columns, name) < 0);
  if (missing.length > 0) {
    fail(
      columns.length > 0 ? 1 : undefined,
      `the column ${missing.join(", ")} is missing; FindingEmo's are ${COLUMNS.join(",")}`,
    );
  }
  const twice = repeatedColumn(columns);
  if (twice !== undefined) fail(1, `the column ${JSON.stringify(twice)} occurs twice`);
  if (rows.length === 0) fail(undefined, "it has no rows");
  const at = new Map(COLUMNS.map((name) => [name, columnAt(columns, name)]));
  // Ours are called as we call them, whatever their case.
  const names = [...columns];
  for (const [name, i] of at) names[i] = name;
  return rows.map(({ fields, written, line }) => {
    const field = (name: Column) => fields[at.get(name)!];
    const number = (name: Column, low: number, high: number) => {
      const text = withPoint(field(name), delimiter);
      // A table that went through pandas may say 2.0.
      const value = /^[+-]?\d+(\.0*)?$/.test(text) ? Number(text) : NaN;
      if (value >= low && value <= high) return value === 0 ? 0 : value;
      return fail(
        line,
        `${name} is ${JSON.stringify(text)}, not a whole number from ${low}${
          high === Number.MAX_SAFE_INTEGER ? "" : ` to ${high}`
        }`,
      );
    };
    const filled = (name: Column) => field(name) || fail(line, `${name} is empty`);
    const path = corpusPath(written[at.get("image_path")!]);
    if ("wrong" in path) return fail(line, `image_path ${path.wrong}`);
    return {
      image: path.path,
      columns: Object.fromEntries(names.map((name, i) => [name, fields[i]])),
      annotation: {
        index: number("index", 0, Number.MAX_SAFE_INTEGER),
        user: filled("user"),
        image: path.path,
        tags: values(field("tags")),
        age: values(field("age")),
        valence: number("valence", -3, 3),
        arousal: number("arousal", 0, 6),
        emotion: filled("emotion"),
        factors: values(field("dec_factors")),
        ambiguity: number("ambiguity", 0, 6),
        datetime: filled("datetime"),
      },
    };
  });
}

/** What the analyses read of an annotation. */
export type Judgement = Pick<
  FindingEmoAnnotation,
  "image" | "emotion" | "valence" | "arousal" | "ambiguity"
>;

/**
 * The annotations among an image's columns, as a run's ledger has them: `emotion`, `valence`, `arousal`, `ambiguity`, and those of further
 * annotators with `.2`, `.3` … after the name. Values that are absent or not numbers are NaN; without an emotion there is no annotation.
 */
export function judgements(
  image: string,
  columns: Readonly<Record<string, string>>,
): Judgement[] {
  const found: Judgement[] = [];
  for (let n = 1;; n++) {
    const field = (name: string) => columns[n === 1 ? name : `${name}.${n}`];
    const number = (name: string) => field(name)?.trim() ? Number(field(name)) : NaN;
    const emotion = field("emotion");
    if (emotion === undefined) return found;
    if (emotion === "") continue;
    found.push({
      image,
      emotion,
      valence: number("valence"),
      arousal: number("arousal"),
      ambiguity: number("ambiguity"),
    });
  }
}

function values(text: string): string[] {
  return text.split(",").map((value) => value.trim()).filter((value) => value !== "");
}
