/**
 * Shapes of operations that join, select, pad or repeat elements, with the elements of small tensors.
 *
 * @module
 */

import { formatShape, meet, product, quotient } from "../dims.ts";
import { type Dim, intOf, intsOf } from "../graph.ts";
import { broadcastIndex } from "./elementwise.ts";
import { known, MOST_ELEMENTS, move, type ShapeRule, type ShapeRules } from "./site.ts";

const concat: ShapeRule = (site) => {
  const shapes = site.node.inputs.map((_, i) => site.shape(i));
  const first = shapes.find((shape) => shape !== undefined);
  const type = site.node.inputs.map((_, i) => site.input(i)).find((k) => k)?.type ?? "float32";
  if (!first) return [known(type)];
  const at = site.axis(intOf(site.node, "axis", 1), first.length);
  const shape: Dim[] = [...first];
  let length: number | undefined = 0;
  const unnumbered: Dim[] = [];
  for (const other of shapes) {
    if (!other) {
      length = undefined;
      continue;
    }
    if (other.length !== first.length) {
      site.fail(`ranks ${first.length} and ${other.length}`);
    }
    other.forEach((dim, axis) => {
      if (axis === at) {
        if (typeof dim === "number") length = length === undefined ? undefined : length + dim;
        else unnumbered.push(dim);
        return;
      }
      shape[axis] = meet(shape[axis], dim) ??
        site.fail(`${formatShape(first)} and ${formatShape(other)} do not join along axis ${at}`);
    });
  }
  const alone = unnumbered.length === 1 && length === 0 ? unnumbered[0] : undefined;
  shape[at] = unnumbered.length === 0 && length !== undefined ? length : alone ?? site.unknown(at);
  const parts = site.node.inputs.map((_, i) => site.elements(i));
  const whole = first.length === 1 && parts.every((part) => part !== undefined);
  const elements = whole ? parts.flatMap((part) => [...part!]) : undefined;
  return [known(type, shape, elements && elements.length <= MOST_ELEMENTS ? elements : undefined)];
};

const split: ShapeRule = (site) => {
  const x = site.shape(0);
  const outputs = site.node.outputs;
  if (!x) return outputs.map(() => known(site.type(0)));
  const at = site.axis(intOf(site.node, "axis", 0), x.length);
  const total = x[at];
  let sizes = site.list("split", 1) as readonly Dim[] | undefined;
  if (!sizes && !site.has(1)) {
    // Equal parts; a smaller last one where num_outputs does not divide the extent.
    const part = typeof total === "number"
      ? Math.ceil(total / outputs.length)
      : quotient(total, outputs.length);
    sizes = outputs.map((_, i) =>
      typeof total === "number"
        ? Math.min(part as number, total - i * (part as number))
        : part ?? site.unknown(at, i)
    );
  }
  if (sizes && typeof total === "number") {
    const sum = sizes.reduce<number>((a, b) => a + Number(b), 0);
    if (sum !== total) site.fail(`parts [${sizes.join(", ")}] of an extent of ${total}`);
  }
  let start = 0;
  return outputs.map((_, i) => {
    const size = sizes?.[i] ?? site.unknown(at, i);
    const shape = x.map((dim, axis) => axis === at ? size : dim);
    const from = start;
    start += Number(size);
    const elements = move(
      site.elements(0),
      x,
      shape,
      (c) => c.map((v, axis) => axis === at ? v + from : v),
    );
    return known(site.type(0), shape, elements);
  });
};

const slice: ShapeRule = (site) => {
  const x = site.shape(0);
  const type = site.type(0);
  if (!x) return [known(type)];
  const starts = site.list("starts", 1);
  const attributes = intsOf(site.node, "starts") !== undefined;
  const ends: readonly Dim[] | undefined = intsOf(site.node, "ends") ?? site.elements(2);
  const axes = site.list("axes", 3) ?? (site.has(3) ? undefined : starts?.map((_, i) => i));
  const steps = attributes || !site.has(4) ? starts?.map(() => 1) : site.numbers(4);
  if (!axes) return [known(type, site.unknownShape(x.length))];
  const shape = [...x];
  const from = new Map<number, { start: number; step: number }>();
  axes.forEach((given, i) => {
    const axis = site.axis(given, x.length);
    const [dim, start, end, step] = [x[axis], starts?.[i], ends?.[i], steps?.[i]];
    if (step === 0) site.fail(`a step of 0 along axis ${axis}`);
    if (start === 0 && end === dim && step === 1) {
      from.set(axis, { start: 0, step: 1 });
      return; // "from 0 to the extent itself", as `x[:n]` is exported
    }
    if (
      start === undefined || typeof end !== "number" || step === undefined ||
      typeof dim !== "number"
    ) {
      const whole = typeof dim === "string" && typeof end === "number" &&
        (step === 1 && start === 0 && end >= 2 ** 31 - 1);
      shape[axis] = whole ? dim : site.unknown(axis);
      return;
    }
    const clamp = (v: number, low: number, high: number) =>
      Math.min(Math.max(v < 0 ? v + dim : v, low), high);
    const first = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
    const last = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
    shape[axis] = Math.max(Math.ceil((last - first) / step), 0);
    from.set(axis, { start: first, step });
  });
  const elements = from.size === axes.length
    ? move(site.elements(0), x, shape, (c) =>
      c.map((v, axis) => {
        const { start, step } = from.get(axis) ?? { start: 0, step: 1 };
        return start + v * step;
      }))
    : undefined;
  return [known(type, shape, elements)];
};

const gather: ShapeRule = (site) => {
  const x = site.shape(0);
  const indices = site.shape(1);
  if (!x || !indices) return [known(site.type(0))];
  const at = site.axis(intOf(site.node, "axis", 0), x.length);
  const shape = [...x.slice(0, at), ...indices, ...x.slice(at + 1)];
  const picked = site.numbers(1);
  const extent = x[at];
  if (picked && typeof extent === "number") {
    for (const i of picked) {
      if (i < -extent || i >= extent) site.fail(`index ${i} into an extent of ${extent}`);
    }
  }
  const source = site.elements(0);
  const elements = x.length === 1 && source && picked
    ? picked.map((i) => source[i < 0 ? i + source.length : i])
    : undefined;
  return [known(site.type(0), shape, elements)];
};

const gatherElements: ShapeRule = (site) => [known(site.type(0), site.shape(1))];

const gatherND: ShapeRule = (site) => {
  const x = site.shape(0);
  const indices = site.shape(1);
  const last = indices?.at(-1);
  if (!x || !indices || typeof last !== "number") return [known(site.type(0))];
  const batch = intOf(site.node, "batch_dims", 0);
  return [known(site.type(0), [...indices.slice(0, -1), ...x.slice(batch + last)])];
};

const scatter: ShapeRule = (site) => [known(site.type(0), site.shape(0))];

const pad: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0))];
  const pads = site.list("pads", 1);
  const axes = site.numbers(3)?.map((axis) => site.axis(axis, x.length)) ?? x.map((_, a) => a);
  if (!pads || (site.has(3) && !site.numbers(3))) {
    return [known(site.type(0), site.unknownShape(x.length))];
  }
  if (pads.length !== 2 * axes.length) {
    site.fail(`${pads.length} pads for ${axes.length} axes`);
  }
  const shape = [...x];
  axes.forEach((axis, i) => {
    const more = pads[i] + pads[i + axes.length];
    const dim = x[axis];
    shape[axis] = more === 0 ? dim : typeof dim === "number" ? dim + more : site.unknown(axis);
  });
  return [known(site.type(0), shape)];
};

const expand: ShapeRule = (site) => {
  const x = site.shape(0);
  const asked = site.elements(1);
  if (!x || !asked) {
    const length = site.shape(1)?.[0];
    const rank = x && typeof length === "number" ? Math.max(x.length, length) : undefined;
    return [known(site.type(0), rank === undefined ? undefined : site.unknownShape(rank))];
  }
  // PyTorch's exporters write -1 for "as it is"; ONNX Runtime accepts it and so do we.
  const shape = site.broadcast([x, asked.map((dim) => dim === -1 ? 1 : dim)]);
  const elements = site.elements(0);
  const size = site.size(shape);
  const repeated = elements && size !== undefined && size <= MOST_ELEMENTS
    ? Array.from(
      { length: size },
      (_, place) => elements[broadcastIndex(place, shape as number[], x)],
    )
    : undefined;
  return [known(site.type(0), shape, repeated)];
};

const tile: ShapeRule = (site) => {
  const x = site.shape(0);
  const repeats = site.elements(1);
  if (!x) return [known(site.type(0))];
  if (!repeats) return [known(site.type(0), site.unknownShape(x.length))];
  if (repeats.length !== x.length) {
    site.fail(`${repeats.length} repeats for a tensor of rank ${x.length}`);
  }
  const shape = x.map((dim, axis) => product([dim, repeats[axis]]) ?? site.unknown(axis));
  const elements = move(
    site.elements(0),
    x,
    shape,
    (c) => c.map((v, axis) => v % (x[axis] as number)),
  );
  return [known(site.type(0), shape, elements)];
};

/** Rules of joining, selecting, padding and repeating. */
export const INDEXING: ShapeRules = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  Scatter: scatter,
  ScatterElements: scatter,
  ScatterND: scatter,
  Pad: pad,
  Expand: expand,
  Tile: tile,
};
