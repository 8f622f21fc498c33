/**
 * Non-maximum suppression, class by class: the best box of a class stays, boxes of that class that overlap it more than the threshold
 * go, and so on. Exact and in a stable order.
 *
 * Source: `do_nms_sort`, `box_iou` in `src/box.c` of Darknet (commit f6afaab). lightnet 4.0.0 has the same greedy rule, through
 * torchvision's `batched_nms`.
 *
 * Departs from torchvision: for up to 1000 boxes it moves each class by a large float32 offset and suppresses all classes at
 * once, which rounds the boxes and so changes up to 5 % of the kept ones; here classes never meet.
 *
 * @module
 */

/** The boxes that candidates of all classes refer to, four numbers a row: centre x, centre y, width, height. */
export type CentreBoxes = Float64Array;

/** The candidates of one class. */
export interface ClassRows {
  /** Rows of the boxes. */
  readonly rows: ArrayLike<number>;
  /** Their confidence in this class, over 0 and in single precision. */
  readonly confidence: ArrayLike<number>;
}

/** Candidates that were kept, best first. */
export interface KeptRows {
  readonly rows: readonly number[];
  readonly confidence: readonly number[];
}

/** How boxes are suppressed. */
interface SuppressOptions {
  /** Intersection over union, 0…1, over which (not at which) the worse box goes. */
  readonly threshold: number;
  /** Every operation rounded to single precision, in Darknet's order; otherwise double precision. */
  readonly single: boolean;
}

/** Rows up to which the overlaps of a row are remembered for the other classes: a bit each, so 128 MiB at most. */
const REMEMBERED_ROWS = 2 ** 15;

/**
 * Suppresses the candidates of each class by themselves. Of equal confidences the one of the smaller row is better.
 *
 * Time is that of the pairs within each class; where the classes share most rows (one row can have many classes), the
 * overlaps of a row are computed once for all of them.
 *
 * @returns what is kept of each class, best first.
 */
export function suppressClasses(
  boxes: CentreBoxes,
  classes: readonly ClassRows[],
  { threshold, single }: SuppressOptions,
): KeptRows[] {
  const overlap = single ? singleOverlap(boxes, threshold) : doubleOverlap(boxes, threshold);
  const count = boxes.length / 4;
  const pairs = classes.reduce((sum, { rows }) => sum + rows.length ** 2, 0);
  const shared = pairs > 2 * count ** 2 && count <= REMEMBERED_ROWS;
  const suppress = shared ? sharedSuppression(count, overlap) : ownSuppression(overlap);
  return classes.map((candidates) => suppress(bestFirst(candidates)));
}

/** Whether two rows overlap more than the threshold. */
type Overlap = (a: number, b: number) => boolean;

/** Kept rows in the order given. */
type Suppression = (sorted: KeptRows) => KeptRows;

/** Compares the candidates of a class with each other. */
function ownSuppression(overlap: Overlap): Suppression {
  return ({ rows, confidence }) => {
    const kept: number[] = [], of: number[] = [];
    const gone = new Uint8Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      if (gone[i]) continue;
      const row = rows[i];
      kept.push(row);
      of.push(confidence[i]);
      for (let j = i + 1; j < rows.length; j++) {
        if (!gone[j] && overlap(row, rows[j])) gone[j] = 1;
      }
    }
    return { rows: kept, confidence: of };
  };
}

/** Remembers which rows each kept row suppresses, as bits, for all classes. */
function sharedSuppression(count: number, overlap: Overlap): Suppression {
  const words = Math.ceil(count / 32);
  const remembered = new Array<Uint32Array | undefined>(count);
  const suppressedBy = (row: number): Uint32Array => {
    const bits = new Uint32Array(words);
    for (let other = 0; other < count; other++) {
      if (overlap(row, other)) bits[other >>> 5] |= 1 << (other & 31);
    }
    return bits;
  };
  const gone = new Uint32Array(words);
  return ({ rows, confidence }) => {
    const kept: number[] = [], of: number[] = [];
    gone.fill(0);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (gone[row >>> 5] & (1 << (row & 31))) continue;
      kept.push(row);
      of.push(confidence[i]);
      const bits = remembered[row] ??= suppressedBy(row);
      for (let word = 0; word < words; word++) gone[word] |= bits[word];
    }
    return { rows: kept, confidence: of };
  };
}

/** Rows that can be sorted: so many fit beside the 32 bits of a confidence into the 53 of a number. */
export const MOST_ROWS = 2 ** 21;

/**
 * Sorts by falling confidence, then rising row: as plain numbers, which is many times faster than with a comparison function.
 * The bits of positive single-precision numbers order as the numbers do.
 */
function bestFirst({ rows, confidence }: ClassRows): KeptRows {
  const keys = new Float64Array(rows.length);
  const number = new Float32Array(1), bits = new Uint32Array(number.buffer);
  for (let i = 0; i < rows.length; i++) {
    if (rows[i] >= MOST_ROWS) throw new RangeError(`Cannot sort row ${rows[i]} of ${MOST_ROWS}`);
    number[0] = confidence[i];
    keys[i] = bits[0] * MOST_ROWS + (MOST_ROWS - 1 - rows[i]);
  }
  keys.sort();
  const sorted: number[] = new Array(rows.length), of: number[] = new Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const key = keys[rows.length - 1 - i];
    const high = Math.floor(key / MOST_ROWS);
    sorted[i] = MOST_ROWS - 1 - (key - high * MOST_ROWS);
    bits[0] = high;
    of[i] = number[0];
  }
  return { rows: sorted, confidence: of };
}

/** Corners and areas of the boxes. */
interface Corners {
  readonly x0: Float64Array;
  readonly y0: Float64Array;
  readonly x1: Float64Array;
  readonly y1: Float64Array;
  readonly area: Float64Array;
}

function cornersOf(boxes: CentreBoxes, round: (value: number) => number): Corners {
  const count = boxes.length / 4;
  const make = () => new Float64Array(count);
  const corners = { x0: make(), y0: make(), x1: make(), y1: make(), area: make() };
  for (let i = 0; i < count; i++) {
    const [x, y, width, height] = boxes.subarray(4 * i, 4 * i + 4);
    corners.x0[i] = round(x - round(width / 2));
    corners.y0[i] = round(y - round(height / 2));
    corners.x1[i] = round(x + round(width / 2));
    corners.y1[i] = round(y + round(height / 2));
    corners.area[i] = round(width * height);
  }
  return corners;
}

// Two copies of one formula: a call for every rounding would cost more than all the rest.

function doubleOverlap(boxes: CentreBoxes, threshold: number): Overlap {
  const { x0, y0, x1, y1, area } = cornersOf(boxes, (value) => value);
  return (a, b) => {
    const width = Math.min(x1[a], x1[b]) - Math.max(x0[a], x0[b]);
    if (!(width > 0)) return false;
    const height = Math.min(y1[a], y1[b]) - Math.max(y0[a], y0[b]);
    if (!(height > 0)) return false;
    const common = width * height;
    return common / (area[a] + area[b] - common) > threshold;
  };
}

function singleOverlap(boxes: CentreBoxes, threshold: number): Overlap {
  const f = Math.fround;
  const { x0, y0, x1, y1, area } = cornersOf(boxes, f);
  const limit = f(threshold);
  return (a, b) => {
    const width = f(Math.min(x1[a], x1[b]) - Math.max(x0[a], x0[b]));
    if (!(width > 0)) return false;
    const height = f(Math.min(y1[a], y1[b]) - Math.max(y0[a], y0[b]));
    if (!(height > 0)) return false;
    const common = f(width * height);
    return f(common / f(f(area[a] + area[b]) - common)) > limit;
  };
}
