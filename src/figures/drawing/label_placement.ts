/**
 * Where labels go so that they stay in the picture and overlap little.
 *
 * @module
 */

import { area, intersect, type Rect, rectOfSize } from "../../image/geometry.ts";

/** A label to be placed: the box it names and its own size. */
interface LabelRequest {
  readonly box: Rect;
  readonly width: number;
  readonly height: number;
}

/** Candidate top left corners, best first: above the box, below it, in its corners, beside it, then the same moved up and down. */
function candidates({ box, width, height }: LabelRequest): [number, number][] {
  const near: [number, number][] = [
    [box.x0, box.y0 - height],
    [box.x1 - width, box.y0 - height],
    [box.x0, box.y1],
    [box.x1 - width, box.y1],
    [box.x0, box.y0],
    [box.x1 - width, box.y1 - height],
    [box.x1, box.y0],
    [box.x0 - width, box.y0],
    [box.x1, box.y1 - height],
    [box.x0 - width, box.y1 - height],
  ];
  const moved = [1, 2, 3].flatMap((step) =>
    near.slice(0, 4).map(([x, y], i): [number, number] => [x, y + (i < 2 ? -1 : 1) * step * height])
  );
  return [...near, ...moved];
}

/**
 * Places labels one after another (so the most important come first), each at the candidate that covers least: other labels count most, then
 * foreign boxes, then the distance in the order of candidates. Every label is pushed into the frame; one that is larger than
 * the frame starts at its left or top edge.
 */
export function placeLabels(requests: readonly LabelRequest[], frame: Rect): Rect[] {
  const placed: Rect[] = [];
  for (const request of requests) {
    const { width, height } = request;
    let best: Rect | undefined, least = Infinity;
    candidates(request).forEach(([x, y], rank) => {
      const at = rectOfSize(
        Math.max(frame.x0, Math.min(x, frame.x1 - width)),
        Math.max(frame.y0, Math.min(y, frame.y1 - height)),
        width,
        height,
      );
      const size = width * height;
      const onLabels = placed.reduce((sum, other) => sum + area(intersect(at, other)), 0) / size;
      const onBoxes = requests.reduce(
        (sum, other) => other === request ? sum : sum + area(intersect(at, other.box)),
        0,
      ) / size;
      const pushed = (Math.abs(at.x0 - x) + Math.abs(at.y0 - y)) / height;
      const cost = 40 * onLabels + 2 * onBoxes + 0.15 * rank + 0.3 * pushed;
      if (cost < least) [best, least] = [at, cost];
    });
    placed.push(best!);
  }
  return placed;
}
