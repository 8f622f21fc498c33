/**
 * How far two values, and two tables of values, are from each other.
 *
 * @module
 */

/** How much two numbers differ: |a − b| / max(1, |a|, |b|), so absolutely up to 1 (importances, probabilities) and relatively above (pixels). Equal infinities and two NaN differ by 0; a NaN and a number by Infinity. */
export function distance(a: number, b: number): number {
  if (a === b || Number.isNaN(a) && Number.isNaN(b)) return 0;
  const scale = Math.max(1, Math.abs(a), Math.abs(b));
  const distance = Math.abs(a - b) / scale;
  return Number.isNaN(distance) ? Infinity : distance;
}

/** Where a value is. */
export interface Place {
  /** The table, as a path in the run's folder. */
  readonly table: string;
  /** The column, or the class of a matrix. */
  readonly column?: string | undefined;
  readonly image?: string | undefined;
  /** The sample's place in its image, from 0. */
  readonly sample?: string | undefined;
  readonly classifier?: string | undefined;
  readonly method?: string | undefined;
  /** The class whose map was scored. */
  readonly class?: string | undefined;
  /** Label of a box, or object of a matrix. */
  readonly object?: string | undefined;
  /** Which of the boxes of this label, from 1. */
  readonly box?: number | undefined;
  /** Line of a table of another kind, from 1 without the header. */
  readonly line?: number | undefined;
}

/** A value that is not the same in both. Absent: it is in one only. */
export interface Difference {
  readonly place: Place;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** {@linkcode distance} of two numbers; absent for texts, and for a value that one of them lacks. */
  readonly distance?: number | undefined;
}

/** What is compared, in the order in which a run computes it. */
export const SECTIONS = [
  "images",
  "predictions",
  "boxes",
  "importances",
  "matrices",
  "other tables",
] as const;
/** See {@linkcode SECTIONS}. */
export type SectionName = typeof SECTIONS[number];

/** What was found of one section. */
export interface Section {
  readonly name: SectionName;
  /** Values that are in both. */
  readonly compared: number;
  /** Of those: equal; not equal, but within the tolerance; further apart, or another text. */
  readonly identical: number;
  readonly within: number;
  readonly drifted: number;
  /** Values that only the first or only the second has. */
  readonly missing: number;
  readonly extra: number;
  /** The largest distance of two numbers; Infinity where a number became NaN or the other way round. */
  readonly largest?: Difference;
  /** The first value outside the tolerance, in the order of the run. */
  readonly first?: Difference;
  /** The first ones outside it, up to a bound. */
  readonly shown: readonly Difference[];
}

/** Differences that are listed one by one, for each section. */
export const SHOWN_DIFFERENCES = 50;

/** Counts the differences of one section. */
export class Tally {
  #compared = 0;
  #identical = 0;
  #within = 0;
  #drifted = 0;
  #missing = 0;
  #extra = 0;
  #largest: Difference | undefined;
  readonly #shown: Difference[] = [];

  constructor(readonly name: SectionName, readonly tolerance: number) {}

  /** Compares two fields of tables: as numbers where both are some, else as texts. */
  compare(place: Place, before: string, after: string): void {
    this.#compared++;
    if (before === after) {
      this.#identical++;
      return;
    }
    const [a, b] = [toNumber(before), toNumber(after)];
    if (a === undefined || b === undefined) {
      this.#drifted++;
      this.#show({ place, before, after });
      return;
    }
    const difference: Difference = { place, before, after, distance: distance(a, b) };
    const { distance: by = 0 } = difference;
    if (by > (this.#largest?.distance ?? 0)) this.#largest = difference;
    if (by === 0) this.#identical++;
    else if (by <= this.tolerance) this.#within++;
    else {
      this.#drifted++;
      this.#show(difference);
    }
  }

  /** Values that only one of the two has: a row, with as many values as would have been compared. */
  lacking(where: "missing" | "extra", place: Place, values: number): void {
    if (values === 0) return;
    if (where === "missing") this.#missing += values;
    else this.#extra += values;
    this.#show({ place, [where === "missing" ? "before" : "after"]: "present" });
  }

  /** What was counted. */
  section(): Section {
    const [first] = this.#shown;
    return {
      name: this.name,
      compared: this.#compared,
      identical: this.#identical,
      within: this.#within,
      drifted: this.#drifted,
      missing: this.#missing,
      extra: this.#extra,
      ...(this.#largest ? { largest: this.#largest } : {}),
      ...(first ? { first } : {}),
      shown: this.#shown,
    };
  }

  #show(difference: Difference): void {
    if (this.#shown.length < SHOWN_DIFFERENCES) this.#shown.push(difference);
  }
}

/** Whether anything in a section is outside the tolerance. */
export function hasDrifted({ drifted, missing, extra }: Section): boolean {
  return drifted + missing + extra > 0;
}

/** A field as a number, where it is one as emocam writes them. */
function toNumber(field: string): number | undefined {
  if (field === "NaN") return NaN;
  const value = Number(field);
  return field.trim() === "" || Number.isNaN(value) ? undefined : value;
}

/** A place in words: `group1.jpg, sample 2, grad-cam, class happy, Human nose (box 1): importance`. */
export function placeText(place: Place): string {
  const parts = [
    place.image,
    place.sample === undefined ? undefined : `sample ${place.sample}`,
    place.classifier,
    place.method,
    place.class === undefined ? undefined : `class ${place.class}`,
    place.object === undefined
      ? undefined
      : place.box === undefined
      ? place.object
      : `${place.object} (box ${place.box})`,
    place.line === undefined ? undefined : `line ${place.line}`,
  ].filter((part) => part !== undefined);
  const where = parts.length > 0 ? parts.join(", ") : place.table;
  const table = place.image === undefined && parts.length > 0 ? `${place.table}, ` : "";
  return `${table}${where}${place.column === undefined ? "" : `: ${place.column}`}`;
}
