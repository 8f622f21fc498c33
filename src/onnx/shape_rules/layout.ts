/**
 * Shapes of operations that rearrange, select, join or repeat elements. Most of them also carry the elements of small
 * tensors along, because exporters compute the shapes they reshape to with exactly these operations.
 *
 * @module
 */

import { sizeOf } from "../../base/tensor.ts";
import { formatShape, meet, product, quotient } from "../dims.ts";
import { type Dim, intOf, intsOf, type Known, type Shape } from "../graph.ts";
import { broadcastIndex } from "./elementwise.ts";
import { known, knownOf, MOST_ELEMENTS, type ShapeRule, type ShapeRules } from "./site.ts";

/** Moves elements: for each place of the result, as coordinates, the coordinates of the element that goes there. */
function move(
  elements: readonly Dim[] | undefined,
  from: Shape | undefined,
  to: Shape | undefined,
  source: (coordinates: readonly number[]) => readonly number[],
): Dim[] | undefined {
  const size = to?.every((dim) => typeof dim === "number") ? sizeOf(to as number[]) : undefined;
  if (!elements || !from || size === undefined || size > MOST_ELEMENTS) return undefined;
  return Array.from({ length: size }, (_, place) => {
    const coordinates: number[] = [];
    for (const extent of [...to as number[]].reverse()) {
      coordinates.unshift(place % extent);
      place = Math.floor(place / extent);
    }
    const index = source(coordinates).reduce((at, c, axis) => at * (from[axis] as number) + c, 0);
    return elements[index]!;
  });
}

const reshape: ShapeRule = (site) => {
  const x = site.shape(0);
  const type = site.type(0);
  const asked = intsOf(site.node, "shape") ?? site.elements(1);
  if (!asked) {
    const length = site.shape(1)?.[0];
    return [known(type, typeof length === "number" ? site.unknownShape(length) : undefined)];
  }
  const allowZero = intOf(site.node, "allowzero", 0) !== 0;
  let open = -1;
  const shape = asked.map((dim, axis): Dim => {
    if (dim === -1) {
      if (open >= 0) site.fail("two extents of -1");
      open = axis;
      return 1;
    }
    if (dim !== 0 || allowZero) return dim;
    if (x && axis >= x.length) site.fail(`a 0 for axis ${axis} of an input of rank ${x.length}`);
    return x?.[axis] ?? site.unknown(axis);
  });
  const total = x && product(x);
  if (open >= 0) {
    shape[open] = (x && remainder(x, shape)) ?? site.unknown(open);
  } else if (total !== undefined) {
    const wanted = product(shape);
    if (typeof total === "number" && typeof wanted === "number" && total !== wanted) {
      site.fail(`${formatShape(x)} cannot become [${asked.join(", ")}]`);
    }
  }
  if (open >= 0 && typeof total === "number" && shape.every((dim) => typeof dim === "number")) {
    if (sizeOf(shape as number[]) !== total) {
      site.fail(`${formatShape(x)} cannot become [${asked.join(", ")}]`);
    }
  }
  return [known(type, shape, site.elements(0))];
};

/** What is left of the extents of `x` for one more axis beside `shape`: shared extents cancel, then the products divide. */
function remainder(x: Shape, shape: readonly Dim[]): Dim | undefined {
  const over = [...x];
  const under: Dim[] = [];
  for (const dim of shape) {
    const at = over.indexOf(dim);
    if (at >= 0) over.splice(at, 1);
    else under.push(dim);
  }
  const above = product(over);
  const below = product(under);
  return above === undefined || below === undefined ? undefined : quotient(above, below);
}

const flatten: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0), site.unknownShape(2))];
  const axis = intOf(site.node, "axis", 1);
  const at = axis === x.length ? axis : site.axis(axis, x.length);
  const shape = [
    product(x.slice(0, at)) ?? site.unknown(0),
    product(x.slice(at)) ?? site.unknown(1),
  ];
  return [known(site.type(0), shape, site.elements(0))];
};

const transpose: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known(site.type(0))];
  const perm = intsOf(site.node, "perm") ?? x.map((_, axis) => x.length - 1 - axis);
  if (perm.length !== x.length || new Set(perm).size !== x.length) {
    site.fail(`permutation [${perm.join(", ")}] of an input of rank ${x.length}`);
  }
  const shape = perm.map((axis) => x[axis] ?? site.fail(`permutation [${perm.join(", ")}]`));
  const elements = move(site.elements(0), x, shape, (at) => {
    const source = new Array<number>(at.length);
    perm.forEach((axis, i) => source[axis] = at[i]!);
    return source;
  });
  return [known(site.type(0), shape, elements)];
};

const squeeze: ShapeRule = (site) => {
  const x = site.shape(0);
  const listed = site.list("axes", 1);
  if (!x || (!listed && site.has(1))) return [known(site.type(0))];
  if (!listed && x.some((dim) => typeof dim !== "number")) {
    // Which axes go depends on extents that are open; a symbolic batch is taken to be no 1, like every exporter does.
    if (x.some((dim, axis) => typeof dim !== "number" && axis > 0)) return [known(site.type(0))];
  }
  const axes = listed
    ? new Set(listed.map((axis) => site.axis(axis, x.length)))
    : new Set([...x.keys()].filter((axis) => x[axis] === 1));
  for (const axis of axes) {
    const dim = x[axis]!;
    if (typeof dim === "number" && dim !== 1) site.fail(`extent ${dim} of axis ${axis} is not 1`);
  }
  return [known(site.type(0), x.filter((_, axis) => !axes.has(axis)), site.elements(0))];
};

const unsqueeze: ShapeRule = (site) => {
  const x = site.shape(0);
  const listed = site.list("axes", 1);
  if (!x || !listed) return [known(site.type(0))];
  const rank = x.length + listed.length;
  const axes = new Set(listed.map((axis) => site.axis(axis, rank)));
  if (axes.size !== listed.length) site.fail(`axes [${listed.join(", ")}] repeat`);
  let next = 0;
  const shape = Array.from({ length: rank }, (_, axis) => axes.has(axis) ? 1 : x[next++]!);
  return [known(site.type(0), shape, site.elements(0))];
};

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
      shape[axis] = meet(shape[axis]!, dim) ??
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
  const total = x[at]!;
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
    const [dim, start, end, step] = [x[axis]!, starts?.[i], ends?.[i], steps?.[i]];
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
  const extent = x[at]!;
  if (picked && typeof extent === "number") {
    for (const i of picked) {
      if (i < -extent || i >= extent) site.fail(`index ${i} into an extent of ${extent}`);
    }
  }
  const source = site.elements(0);
  const elements = x.length === 1 && source && picked
    ? picked.map((i) => source[i < 0 ? i + source.length : i]!)
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
    const more = pads[i]! + pads[i + axes.length]!;
    const dim = x[axis]!;
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
      (_, place) => elements[broadcastIndex(place, shape as number[], x)]!,
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
  const shape = x.map((dim, axis) => product([dim, repeats[axis]!]) ?? site.unknown(axis));
  const elements = move(
    site.elements(0),
    x,
    shape,
    (c) => c.map((v, axis) => v % (x[axis] as number)),
  );
  return [known(site.type(0), shape, elements)];
};

const constant: ShapeRule = (site) => {
  const { attributes } = site.node;
  for (const [name, attribute] of Object.entries(attributes)) {
    if (attribute.kind === "tensor") return [knownOf(attribute.value)];
    if (name === "value_int" && attribute.kind === "int") {
      return [known("int64", [], [attribute.value])];
    }
    if (name === "value_float" && attribute.kind === "float") {
      return [known("float32", [], [attribute.value])];
    }
    if (name === "value_ints" && attribute.kind === "ints") {
      return [known("int64", [attribute.value.length], attribute.value)];
    }
    if (name === "value_floats" && attribute.kind === "floats") {
      return [known("float32", [attribute.value.length], attribute.value)];
    }
  }
  return [undefined];
};

const constantOfShape: ShapeRule = (site) => {
  const attribute = site.node.attributes["value"];
  const value = attribute?.kind === "tensor" ? attribute.value : undefined;
  const type = value?.type ?? "float32";
  const shape = site.elements(0);
  if (!shape) {
    const length = site.shape(0)?.[0];
    return [known(type, typeof length === "number" ? site.unknownShape(length) : undefined)];
  }
  const size = site.size(shape);
  const fill = value ? Number(value.data[0]) : 0;
  const small = size !== undefined && size <= MOST_ELEMENTS && type !== "float16";
  return [known(type, shape, small ? new Array<number>(size).fill(fill) : undefined)];
};

const shapeOf: ShapeRule = (site) => {
  const x = site.shape(0);
  if (!x) return [known("int64", [site.unknown(0)])];
  const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + x.length : v, 0), x.length);
  const part = x.slice(
    clamp(intOf(site.node, "start", 0)),
    clamp(intOf(site.node, "end", x.length)),
  );
  return [known("int64", [part.length], part)];
};

const size: ShapeRule = (site) => {
  const x = site.shape(0);
  const total = x && product(x);
  return [known("int64", [], total === undefined ? undefined : [total])];
};

const range: ShapeRule = (site) => {
  const type = site.type(0);
  const [start, limit, delta] = [0, 1, 2].map((i) => site.elements(i)?.[0]);
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number") {
    const length = Math.max(Math.ceil((limit - start) / delta), 0);
    const elements = length <= MOST_ELEMENTS
      ? Array.from({ length }, (_, i) => start + i * delta)
      : undefined;
    return [known(type, [length], elements)];
  }
  return [
    known(type, [start === 0 && delta === 1 && limit !== undefined ? limit : site.unknown(0)]),
  ];
};

const oneHot: ShapeRule = (site) => {
  const indices = site.shape(0);
  if (!indices) return [known(site.type(2))];
  const axis = site.axis(intOf(site.node, "axis", -1), indices.length + 1);
  const shape = [...indices];
  shape.splice(axis, 0, site.elements(1)?.[0] ?? site.unknown(axis));
  return [known(site.type(2), shape)];
};

const nonZero: ShapeRule = (site): Known[] => [
  known("int64", [site.shape(0)?.length ?? site.unknown(0), site.unknown(1)]),
];

/** Rules of layout operations. */
export const LAYOUT: ShapeRules = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
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
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Size: size,
  Range: range,
  OneHot: oneHot,
  NonZero: nonZero,
};
