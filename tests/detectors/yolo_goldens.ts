/** Comparison with Darknet's and lightnet's reference results: with the full set, and with the small copies in tests/golden/yolo. */

import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import {
  type CentreBoxes,
  type ClassRows,
  type KeptRows,
  suppressClasses,
} from "../../src/detectors/_nms.ts";
import {
  decodeDarknet,
  decodeLightnet,
  type YoloHead,
  type YoloRows,
} from "../../src/detectors/_yolo_decode.ts";
import { darknetLetterbox } from "../../src/image/letterbox.ts";
import { assertClose } from "../assert_close.ts";

/** What the reference nets' .cfg say of their heads: the anchors of each head's mask, and the classes. */
export interface ReferenceNet {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
  readonly anchors: readonly (readonly (readonly [number, number])[])[];
}

export const NETS: Readonly<Record<string, ReferenceNet>> = {
  mini3: {
    width: 96,
    height: 96,
    classes: 5,
    anchors: [[[48, 38], [64, 80], [90, 70]], [[12, 25], [26, 19], [25, 48]], [
      [4, 5],
      [7, 12],
      [14, 10],
    ]],
  },
  tiny: {
    width: 96,
    height: 96,
    classes: 7,
    anchors: [[[81, 82], [35, 69], [44, 19]], [[23, 27], [37, 58], [81, 82]]],
  },
  wide: {
    width: 128,
    height: 96,
    classes: 1,
    anchors: [[[37, 58], [44, 19]], [[10, 14], [23, 27], [81, 82], [35, 69]]],
  },
  odd: { width: 90, height: 70, classes: 3, anchors: [[[5, 8], [12, 9], [30, 22]]] },
};

/** The heads of a net for a photo. @param prefix `logits` (Darknet) or `emocam_logits` (lightnet). */
export function readHeads(folder: URL, net: ReferenceNet, prefix: string): YoloHead[] {
  return net.anchors.map((anchors, k) => {
    const { shape, data } = readNpy(Deno.readFileSync(new URL(`${prefix}${k}.npy`, folder)));
    return {
      name: `yolo${k}`,
      logits: data as Float32Array,
      height: shape[1],
      width: shape[2],
      anchors,
    };
  });
}

export const readJson = (folder: URL, name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(name, folder)));

/** Rows [cx, cy, w, h, objectness, probability of each class] as the reference lists them. */
export function denseRows({ boxes, objectness, classes }: YoloRows): number[][] {
  const dense = Array.from(objectness, (value, row) => [
    ...boxes.slice(4 * row, 4 * row + 4),
    value,
    ...classes.map(() => 0),
  ]);
  classes.forEach(({ rows, confidence }, c) => {
    for (let i = 0; i < rows.length; i++) dense[rows[i]][5 + c] = confidence[i];
  });
  return dense;
}

/** Rows [class, confidence, four numbers of the box] of what was kept. */
export function keptRows(boxes: CentreBoxes, kept: readonly KeptRows[], corner = false) {
  return kept.flatMap(({ rows, confidence }, c) =>
    rows.map((row, i) => {
      const [x, y, width, height] = boxes.subarray(4 * row, 4 * row + 4);
      return corner
        ? [c, confidence[i], x - width / 2, y - height / 2, width, height]
        : [c, confidence[i], x, y, width, height];
    })
  );
}

/** Numbers as float32, which the nine digits of the reference files are. */
const digits = (row: readonly number[]) => row.map(Math.fround).join();

/** Fails unless two sets of rows are the same float32 numbers, whatever their order. */
export function assertSameSet(rows: number[][], expected: number[][], what: string): void {
  assert.deepEqual(rows.map(digits).sort(), expected.map(digits).sort(), what);
}

/**
 * Pairs rows of equal class by their confidence and fails unless each pair is equal within `tolerance`, relative to the size of
 * the numbers of the box.
 *
 * @returns the largest difference.
 */
export function assertNearSet(
  rows: number[][],
  expected: number[][],
  tolerance: number,
  what: string,
): number {
  assert.equal(rows.length, expected.length, `${what}: number of rows`);
  const order = (a: number[], b: number[]) => a[0] - b[0] || b[1] - a[1] || a[2] - b[2];
  const left = [...expected].sort(order);
  let largest = 0;
  for (const row of [...rows].sort(order)) {
    const size = Math.max(1, ...row.slice(2).map(Math.abs));
    const differs = (other: number[]) =>
      Math.max(
        Math.abs(row[0] - other[0]) * 1e9,
        Math.abs(row[1] - other[1]),
        ...row.slice(2).map((value, i) => Math.abs(value - other[2 + i]) / size),
      );
    // Rows of nearly equal confidence may be in another order.
    const near = left.slice(0, 16).map(differs);
    const best = near.indexOf(Math.min(...near));
    assert(near[best] <= tolerance, `${what}: no row is ${row}; nearest ${left[best]}`);
    largest = Math.max(largest, near[best]);
    left.splice(best, 1);
  }
  return largest;
}

/** Darknet's profile of one photo against all the files that are there. @returns how many files were compared. */
export function checkDarknet(folder: URL, net: ReferenceNet): number {
  const heads = readHeads(folder, net, "logits");
  let compared = 0;
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
  for (const file of files.filter((name) => /^(raw|nms\d+)_t\d+(_rel)?\.json$/.test(name))) {
    const expected = readJson(folder, file);
    const image = { width: expected.image_w, height: expected.image_h };
    const geometry = darknetLetterbox(image, net.width, net.height);
    const rows = decodeDarknet(heads, {
      classes: net.classes,
      confidence: expected.thresh,
      image,
      geometry,
    });
    const what = folder.pathname.split("/").slice(-3).join("/") + file;
    if (file.startsWith("raw")) {
      const dense = denseRows(rows);
      const listed = expected.boxes.map((row: (number | number[])[]) => row.flat());
      assert.equal(dense.length, expected.count, what);
      if (expected.relative) {
        for (const row of dense) {
          row[0] /= image.width;
          row[1] /= image.height;
          row[2] /= image.width;
          row[3] /= image.height;
        }
        dense.forEach((row, i) =>
          row.forEach((value, j) =>
            assertClose(
              value,
              listed[i][j],
              1e-6 * Math.max(1, Math.abs(value)),
              `${what} row ${i}, place ${j}`,
            )
          )
        );
      } else assert.deepEqual(dense.map(digits), listed.map(digits), what);
    } else {
      const kept = suppressClasses(rows.boxes, rows.classes, {
        threshold: expected.nms,
        single: true,
      });
      assertSameSet(keptRows(rows.boxes, kept), expected.boxes, what);
    }
    compared++;
  }
  return compared;
}

/** lightnet's profile of one photo. @returns the largest difference of a confidence or, relative, a box. */
export function checkLightnet(folder: URL, net: ReferenceNet): number {
  const heads = readHeads(folder, net, "emocam_logits");
  const dets = readJson(folder, "emocam_dets.json");
  let largest = 0;
  for (const [name, expected] of Object.entries<Record<string, never>>(dets)) {
    const match = name.match(/^conf([\d.]+)_nms([\d.]+)$/);
    if (!match) continue;
    const [confidence, threshold] = match.slice(1).map(Number);
    const { boxes, classes } = decodeLightnet(heads, {
      classes: net.classes,
      confidence,
      frame: net,
    });
    const what = folder.pathname.split("/").slice(-3).join("/") + name;
    const before = classes.reduce((sum: number, { rows }: ClassRows) => sum + rows.length, 0);
    assert.equal(before, expected.before_nms, what);
    const kept = suppressClasses(boxes, classes, { threshold, single: false });
    const rows = keptRows(boxes, kept, true);
    largest = Math.max(largest, assertNearSet(rows, expected.boxes, 2e-6, what));
  }
  return largest;
}
