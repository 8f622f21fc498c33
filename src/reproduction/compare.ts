/**
 * Compares the tables of two runs, value by value. Only the tables in their folders are read, no ledger; memory holds the rows of one
 * image at a time.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import { distance, type Place, type Section, type SectionName, SECTIONS, Tally } from "./drift.ts";
import {
  hashTables,
  type ImageRows,
  listTables,
  readByImage,
  readRows,
  type TableRow,
} from "../outputs/read.ts";
import { iou, type Rect } from "../image/geometry.ts";

/** One table of two runs. */
interface ComparedTable {
  readonly name: string;
  /** SHA-256; absent where the run has no such table. */
  readonly before?: string;
  readonly after?: string;
}

/** Importances that are on the other side of the salience threshold, although they lie within the tolerance. */
interface Crossings {
  readonly count: number;
  readonly first?: { readonly place: Place; readonly before: string; readonly after: string };
}

/** What {@linkcode compareRuns} finds. */
export interface RunComparison {
  /** In the order of `SECTIONS`; those with nothing to compare are left out. */
  readonly sections: readonly Section[];
  readonly tables: readonly ComparedTable[];
  readonly crossings: Crossings;
  /** Columns and tables that only the second run has, as that of a later version: they are not compared. */
  readonly newColumns: readonly string[];
  readonly newTables: readonly string[];
}

/** What runs are compared by. */
interface CompareOptions {
  /** Largest {@linkcode distance} of numbers that counts as the same. */
  readonly tolerance: number;
  /** Salience threshold of the first run, to say why a cell of a matrix changed. */
  readonly threshold?: number | undefined;
  /** Those tables of the first run that are compared; by default all in its folder. */
  readonly tables?: readonly string[] | undefined;
}

/** Columns that say which row it is, of those a table has. */
const SAMPLE_KEY = ["sample", "classifier"] as const;
const BOX_KEY = ["sample", "classifier", "method", "class", "label"] as const;
const CORNERS = ["x0", "y0", "x1", "y1"] as const;

/**
 * Compares two runs.
 *
 * Rows are matched by what they are about, not by their place: image, sample, classifier, method and class; boxes of one label there by
 * their order, or, where that does not fit, by their overlap. Tables of an unknown kind are compared line by line.
 *
 * @throws {UsageError} when a table is not CSV.
 */
export async function compareRuns(
  before: string,
  after: string,
  { tolerance, threshold, tables }: CompareOptions,
): Promise<RunComparison> {
  const tallies = new Map(SECTIONS.map((name) => [name, new Tally(name, tolerance)]));
  const comparison = new Comparison(tallies, tolerance, threshold);
  const names = tables ?? await listTables(before);
  const [own, other] = [await hashTables(before, names), await hashTables(after, names)];
  const compared: ComparedTable[] = [];
  for (const name of names) {
    const hash = own[name], second = other[name];
    compared.push({
      name,
      ...(hash ? { before: hash } : {}),
      ...(second ? { after: second } : {}),
    });
    await comparison.table(name, before, after);
  }
  return {
    sections: [...tallies.values()].map((tally) => tally.section())
      .filter(({ compared, missing, extra }) => compared + missing + extra > 0),
    tables: compared,
    crossings: comparison.crossings,
    newColumns: [...comparison.newColumns],
    newTables: (await listTables(after)).filter((name) => !names.includes(name)),
  };
}

class Comparison {
  crossings: Crossings = { count: 0 };
  readonly newColumns = new Set<string>();

  constructor(
    readonly tallies: ReadonlyMap<SectionName, Tally>,
    readonly tolerance: number,
    readonly threshold: number | undefined,
  ) {}

  /** Compares one table as its name says what it is. */
  async table(name: string, before: string, after: string): Promise<void> {
    const file = name.slice(name.lastIndexOf("/") + 1);
    const byImage = (column: "image" | "path") =>
      mergeByImage(readByImage(before, name, column), readByImage(after, name, column));
    if (file === "images.csv") {
      for await (const [image, a, b] of byImage("path")) {
        // How a failure is worded is the program's affair; whether an image failed is in its status.
        const keys = ["path", "error"];
        this.#rows(name, a, b, () => ({ table: name, image }), () => "images", keys);
      }
    } else if (file === "predictions.csv") {
      for await (const [image, a, b] of byImage("image")) {
        const key = keyOf(SAMPLE_KEY);
        for (const [own, other] of grouped(a, b, key)) {
          const place = (row: TableRow) => ({ table: name, image, ...sampleOf(row) });
          this.#rows(name, own, other, place, () => "predictions", ["image", ...SAMPLE_KEY]);
        }
      }
    } else if (file === "boxes.csv") {
      for await (const [image, a, b] of byImage("image")) {
        for (const [own, other] of grouped(a, b, keyOf(BOX_KEY))) {
          this.#boxes(name, image, own, other);
        }
      }
    } else if (/(^|\/)matrices\//.test(name) || file === "agreement.csv") {
      await this.#matrix(name, before, after);
    } else {
      await this.#lines(name, before, after);
    }
  }

  /** Compares rows that belong to each other by their place in two lists. */
  #rows(
    table: string,
    before: readonly TableRow[],
    after: readonly TableRow[],
    placeOf: (row: TableRow, index: number) => Place,
    sectionOf: (column: string) => SectionName,
    keys: readonly string[],
  ): void {
    const values = (row: TableRow) => Object.keys(row).filter((name) => !keys.includes(name));
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      const own = before[i], other = after[i];
      const place = placeOf((own ?? other)!, i);
      if (own && other) {
        for (const column of values(own)) {
          const tally = this.tallies.get(sectionOf(column))!;
          if (column in other) tally.compare({ ...place, column }, own[column], other[column]);
          else tally.lacking("missing", { ...place, column }, 1);
        }
        for (const column of values(other)) {
          if (!(column in own)) this.newColumns.add(`${table}: ${column}`);
        }
      } else {
        const lacking = Map.groupBy(values((own ?? other)!), sectionOf);
        for (const [section, columns] of lacking) {
          this.tallies.get(section)!.lacking(own ? "missing" : "extra", place, columns.length);
        }
      }
    }
  }

  #boxes(
    table: string,
    image: string,
    before: readonly TableRow[],
    after: readonly TableRow[],
  ): void {
    const pairs = pairBoxes(before, after);
    pairs.forEach(([own, other], index) => {
      const row = (own ?? other)!;
      const place: Place = {
        table,
        image,
        ...sampleOf(row),
        method: row.method,
        class: row.class,
        object: row.label,
        box: index + 1,
      };
      this.#rows(
        table,
        own ? [own] : [],
        other ? [other] : [],
        () => place,
        (column) => column === "importance" ? "importances" : "boxes",
        ["image", ...BOX_KEY],
      );
      if (own && other) this.#crossing(place, own.importance!, other.importance!);
    });
  }

  #crossing(place: Place, before: string, after: string): void {
    const { threshold, tolerance, crossings: { count, first } } = this;
    if (threshold === undefined || before === after) return;
    const [a, b] = [Number(before), Number(after)];
    if (distance(a, b) > tolerance || (a > threshold) === (b > threshold)) return;
    this.crossings = { count: count + 1, first: first ?? { place, before, after } };
  }

  /** A matrix, or any table whose first column names its rows. */
  async #matrix(table: string, before: string, after: string): Promise<void> {
    const own = await Array.fromAsync(readRows(before, table));
    const other = await Array.fromAsync(readRows(after, table));
    const [nameColumn = ""] = Object.keys((own[0] ?? other[0]) ?? {});
    const method = /([^/]+)\.[\w-]+\.csv$/.exec(table)?.[1];
    for (const [a, b] of grouped(own, other, (row) => row[nameColumn] ?? "")) {
      const place = (row: TableRow) => ({ table, method, object: row[nameColumn] });
      this.#rows(table, a, b, place, () => "matrices", [nameColumn]);
    }
  }

  async #lines(table: string, before: string, after: string): Promise<void> {
    const own = readRows(before, table), other = readRows(after, table);
    for (let line = 1;; line++) {
      const [a, b] = [await own.next(), await other.next()];
      if (a.done && b.done) return;
      const rows = [a, b].map(({ done, value }) => done ? [] : [value as TableRow]);
      this.#rows(table, rows[0], rows[1], () => ({ table, line }), () => "other tables", []);
    }
  }
}

/** Images of two streams in the order of their paths, each with its rows in both (empty where one lacks it). */
async function* mergeByImage(
  before: AsyncGenerator<ImageRows>,
  after: AsyncGenerator<ImageRows>,
): AsyncGenerator<[string, readonly TableRow[], readonly TableRow[]]> {
  let [a, b] = [await before.next(), await after.next()];
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareCodePoints(a.value.image, b.value.image);
    const image = (order <= 0 ? a.value : b.value).image as string;
    yield [image, order <= 0 ? a.value.rows : [], order >= 0 ? b.value.rows : []];
    if (order <= 0) a = await before.next();
    if (order >= 0) b = await after.next();
  }
}

function keyOf(columns: readonly string[]): (row: TableRow) => string {
  return (row) => JSON.stringify(columns.map((column) => row[column] ?? ""));
}

/** Rows of both lists by key, in the order of first appearance. */
function* grouped(
  before: readonly TableRow[],
  after: readonly TableRow[],
  key: (row: TableRow) => string,
): Generator<[readonly TableRow[], readonly TableRow[]]> {
  const own = Map.groupBy(before, key), other = Map.groupBy(after, key);
  for (const name of new Set([...own.keys(), ...other.keys()])) {
    yield [own.get(name) ?? [], other.get(name) ?? []];
  }
}

function sampleOf({ sample, classifier }: TableRow): Pick<Place, "sample" | "classifier"> {
  return { sample, classifier };
}

/** Least overlap at which two boxes of one label are the same one, moved a little. */
const SAME_BOX = 0.5;

/**
 * Pairs the boxes of one label: those at the same place in both lists where they overlap by half, else each with the one it overlaps
 * most. What overlaps nothing by half stays alone.
 */
export function pairBoxes<Row extends TableRow>(
  before: readonly Row[],
  after: readonly Row[],
): [Row | undefined, Row | undefined][] {
  const inOrder = before.length === after.length &&
    before.every((row, i) => sameText(row, after[i]) || overlap(row, after[i]) >= SAME_BOX);
  if (inOrder) return before.map((row, i) => [row, after[i]]);
  const free = new Set(after);
  const pairs = before.map((row): [Row | undefined, Row | undefined] => {
    let best: Row | undefined, most = SAME_BOX;
    for (const other of free) {
      const own = overlap(row, other);
      // The first of equals, so that equal boxes keep their order.
      if (own > most || best === undefined && own >= most) [best, most] = [other, own];
    }
    if (best) free.delete(best);
    return [row, best];
  });
  return [...pairs, ...Array.from(free, (row): [undefined, Row] => [undefined, row])];
}

function sameText(a: TableRow, b: TableRow): boolean {
  return CORNERS.every((corner) => a[corner] === b[corner]);
}

/** Intersection over union of two boxes, 0..1; 0 where neither has an area. */
function overlap(a: TableRow, b: TableRow): number {
  return iou(rectOf(a), rectOf(b));
}

function rectOf(row: TableRow): Rect {
  const [x0, y0, x1, y1] = CORNERS.map((corner) => Number(row[corner]));
  return { x0, y0, x1, y1 };
}
