/**
 * The `boxes.csv` of an analysis: a row for each sample, method and class of a box. It is read back as the boxes that it holds, each once.
 *
 * @module
 */

import { columnAt } from "../../base/csv_table.ts";
import type { Box } from "../detector.ts";
import { csvBoxes } from "./csv.ts";
import {
  type BoxFormat,
  BoxList,
  type BoxTableParts,
  csvHeader,
  csvTable,
  type ReadBoxOptions,
  refuse,
} from "./table.ts";

/** What tells it from another table of boxes, also where somebody has cut it down. */
const COLUMNS = ["image", "sample", "method", "class"] as const;

/** What an analysis writes. */
export const own: BoxFormat = {
  title: "emocam's boxes.csv",
  claims(text) {
    const header = csvHeader(text);
    return COLUMNS.every((column) => columnAt(header, column) >= 0);
  },
  read: readOwn,
};

/** The boxes of one sample under one method and class. */
interface Group {
  readonly boxes: Box[];
  readonly where: string;
}

/**
 * Every method and class of a sample has the same boxes in the same order: those of the first count. A box that is in several samples of an
 * image (faces that overlap) is one.
 *
 * @throws {UsageError} naming the line, also where methods or classes have other boxes than the first.
 */
function readOwn(text: string, origin: string, options: ReadBoxOptions): BoxTableParts {
  const table = csvTable(text, origin);
  const [sampleAt, methodAt, classAt] = (["sample", "method", "class"] as const)
    .map((name) => columnAt(table.columns, name));
  const images = new Map<string, Map<string, Map<string, Group>>>();
  let rows = 0;
  for (const { image, where, box, fields } of csvBoxes(table, origin)) {
    if (!box) refuse(origin, where, "it has no box");
    rows++;
    const samples = child(images, image, () => new Map<string, Map<string, Group>>());
    const groups = child(samples, fields[sampleAt], () => new Map<string, Group>());
    const key = JSON.stringify([fields[methodAt], fields[classAt]]);
    child(groups, key, () => ({ boxes: [], where })).boxes.push(box);
  }
  const list = new BoxList(origin, options);
  for (const [image, samples] of images) {
    const added = new Map<string, number>();
    for (const groups of samples.values()) {
      const [first, ...others] = groups.values();
      const keys = first!.boxes.map(keyOf);
      for (const { boxes, where } of others) {
        if (boxes.length === keys.length && boxes.every((box, i) => keyOf(box) === keys[i])) {
          continue;
        }
        refuse(
          origin,
          where,
          `${image} has other boxes here than under the first method and class; write it again, or keep the rows of one method and class`,
        );
      }
      const seen = new Map<string, number>();
      for (const box of first!.boxes) {
        const key = keyOf(box), times = (seen.get(key) ?? 0) + 1;
        seen.set(key, times);
        if (times <= (added.get(key) ?? 0)) continue;
        added.set(key, times);
        list.add(image, first!.where, box);
      }
    }
  }
  const parts = list.parts();
  const count = [...parts.images.values()].reduce((sum, boxes) => sum + boxes.length, 0);
  const notice = `it is the table of an analysis: its ${rows} rows are ${count} boxes`;
  return { ...parts, notices: [...table.notices, ...rows > count ? [notice] : []] };
}

function keyOf({ label, confidence, x0, y0, x1, y1 }: Box): string {
  return JSON.stringify([label, confidence, x0, y0, x1, y1]);
}

function child<T>(map: Map<string, T>, key: string, create: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = create();
  map.set(key, made);
  return made;
}
