/**
 * FindingEmo (Mertens et al., NeurIPS 2024): its annotations and its list of addresses, as the package findingemo-light has them.
 * Both are CC BY-NC-SA 4.0 and not part of emocam: users bring them.
 *
 * @module
 */

import { type CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import { messageOf, UsageError } from "../base/errors.ts";

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
 * @throws {UsageError} naming the line and the value that cannot be: a missing column, another number of fields, a number that is none or
 *   out of its range, an empty emotion, a path out of the corpus.
 */
export function readFindingEmo(text: string, origin: string): AnnotationRow[] {
  const fail = (line: number | undefined, what: string): never => {
    throw new UsageError(
      `Cannot read annotations from ${origin}${line ? `, line ${line}` : ""}: ${what}`,
    );
  };
  const [header, ...rows] = csvRows(text, fail);
  const names = header?.record ?? [];
  const missing = COLUMNS.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    fail(
      header?.line,
      `the column ${missing.join(", ")} is missing; FindingEmo's are ${COLUMNS.join(",")}`,
    );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(header!.line, `the column ${JSON.stringify(twice)} stands twice`);
  if (rows.length === 0) fail(undefined, "it has no rows");
  const at = new Map(names.map((name, i) => [name, i]));
  return rows.map(({ record, line }) => {
    if (record.length !== names.length) {
      fail(line, `${record.length} fields, the header has ${names.length}`);
    }
    const field = (name: Column) => record[at.get(name)!];
    const number = (name: Column, low: number, high: number) => {
      const text = field(name);
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
    const path = corpusPath(field("image_path"));
    if ("wrong" in path) return fail(line, `image_path ${path.wrong}`);
    return {
      image: path.path,
      columns: Object.fromEntries(names.map((name, i) => [name, record[i]])),
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
 * annotators with `.2`, `.3` … behind the name. Numbers that are absent or none are NaN; without an emotion there is no annotation.
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

function csvRows(
  text: string,
  fail: (line: number | undefined, what: string) => never,
): { record: string[]; line: number }[] {
  try {
    const rows = parse(text, {
      info: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return rows.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    return fail((error as Partial<CsvError> & { lines?: number }).lines, messageOf(error));
  }
}

/**
 * A path of the dataset as one inside the corpus: `/Run_1/a b/c.jpg` is `Run_1/a b/c.jpg`.
 *
 * @returns what is wrong with it, where it is empty, leads out of the folder, or cannot be a file's name.
 */
export function corpusPath(text: string): { path: string } | { wrong: string } {
  const wrong = (why: string) => ({ wrong: `is ${JSON.stringify(text.slice(0, 200))}: ${why}` });
  const path = text.replace(/^\//, "");
  if (path === "") return wrong("it is empty");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return wrong("it has control characters");
  if (path.includes("\\")) return wrong("paths have forward slashes");
  if (/^[A-Za-z]:/.test(path)) return wrong("it begins with a drive");
  for (const part of path.split("/")) {
    if (part === "") return wrong("it has an empty part");
    if (part === "." || part === "..") return wrong("it leads elsewhere");
    if (new TextEncoder().encode(part).length > 255) return wrong("a part of it is too long");
  }
  return { path };
}

/** An image and where it was found, the likeliest address first. */
export interface ImageAddresses {
  /** Its path in the corpus. */
  readonly path: string;
  /** At least one, each once. */
  readonly urls: readonly string[];
}

const urlSchema = z.array(z.object({
  rel_path: z.string(),
  idx_url: z.union([z.number(), z.string()]).optional(),
  url: z.string(),
}));

/**
 * Reads the dataset's list of addresses (`dataset_urls_exploded.json`, or a CSV table): rel_path, idx_url, url. Rows of one path are several
 * addresses of it, in the order of idx_url.
 *
 * Addresses are not checked here: the published list has empty and broken ones, which fail when their turn comes.
 *
 * @returns the images, in the list's order.
 * @throws {UsageError} naming the row whose path leads out of the corpus, or what else is wrong with the file.
 */
export function readUrlList(text: string, origin: string): ImageAddresses[] {
  const fail = (where: string | number | undefined, what: string): never => {
    const place = where === undefined
      ? ""
      : typeof where === "number"
      ? `, line ${where}`
      : `, ${where}`;
    throw new UsageError(`Cannot read the list of addresses ${origin}${place}: ${what}`);
  };
  const rows = /^\s*[[{]/.test(text) ? jsonRows(text, fail) : tableRows(text, fail);
  if (rows.length === 0) fail(undefined, "it is empty");
  const images = new Map<string, { order: number; url: string }[]>();
  for (const { where, rel_path, idx_url, url } of rows) {
    const path = corpusPath(rel_path);
    if ("wrong" in path) return fail(where, `rel_path ${path.wrong}`);
    const order = Number(idx_url || 1);
    if (!Number.isFinite(order)) fail(where, `idx_url is ${JSON.stringify(idx_url)}, not a number`);
    const list = images.get(path.path);
    if (list) list.push({ order, url: url.trim() });
    else images.set(path.path, [{ order, url: url.trim() }]);
  }
  return [...images].map(([path, list]) => ({
    path,
    urls: [...new Set(list.sort((a, b) => a.order - b.order).map(({ url }) => url))],
  }));
}

interface UrlRow {
  readonly where: string | number;
  readonly rel_path: string;
  readonly idx_url: string;
  readonly url: string;
}
type Fail = (where: string | number | undefined, what: string) => never;

function jsonRows(text: string, fail: Fail): UrlRow[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(undefined, `it is not JSON (${messageOf(error)})`);
  }
  const result = urlSchema.safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    return fail(path.length > 0 ? path.join(".") : undefined, message);
  }
  return result.data.map(({ idx_url, ...row }, i) => ({
    ...row,
    where: `entry ${i}`,
    idx_url: String(idx_url ?? ""),
  }));
}

function tableRows(text: string, fail: Fail): UrlRow[] {
  const [header, ...rows] = csvRows(text, fail);
  const names = header?.record ?? [];
  const [path, idx, url] = ["rel_path", "idx_url", "url"].map((name) => names.indexOf(name));
  if (path! < 0 || url! < 0) {
    fail(
      header?.line,
      `its header is ${JSON.stringify(names.join(","))}; expected rel_path,idx_url,url`,
    );
  }
  return rows.map(({ record, line }) => {
    if (record.length !== names.length) {
      fail(line, `${record.length} fields, the header has ${names.length}`);
    }
    return {
      where: line,
      rel_path: record[path!],
      idx_url: record[idx!] ?? "",
      url: record[url!],
    };
  });
}
