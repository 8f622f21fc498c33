/**
 * Shapes of operations that rearrange elements or make new ones. They also carry the elements of small tensors along, because
 * exporters compute the shapes they reshape to with exactly these operations.
 *
 * @module
 */

import { formatShape, product, quotient } from "../dims.ts";
import { type Dim, intOf, intsOf, type Known, type Shape } from "../graph.ts";
import { known, knownOf, MOST_ELEMENTS, move, type ShapeRule, type ShapeRules } from "./site.ts";

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
  if (x) {
    const { above, below } = ratio(x, shape);
    const numbers = typeof above === "number" && typeof below === "number";
    const fits = open < 0
      ? !numbers || above === below
      : below !== 0 && (!numbers || above % below === 0);
    if (!fits) site.fail(`${formatShape(x)} cannot become [${asked.join(", ")}]`);
    if (open >= 0) {
      const rest = above === undefined || below === undefined ? undefined : quotient(above, below);
      shape[open] = rest ?? site.unknown(open);
    }
  } else if (open >= 0) shape[open] = site.unknown(open);
  return [known(type, shape, site.elements(0))];
};

/** The numbers of elements of two shapes, without the extents that both have. */
function ratio(
  x: Shape,
  shape: readonly Dim[],
): { above: Dim | undefined; below: Dim | undefined } {
  const over = [...x];
  const under: Dim[] = [];
  for (const dim of shape) {
    const at = over.indexOf(dim);
    if (at >= 0 && dim !== 0) over.splice(at, 1);
    else under.push(dim);
  }
  return { above: product(over), below: product(under) };
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
    perm.forEach((axis, i) => source[axis] = at[i]);
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
    const dim = x[axis];
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
  const shape = Array.from({ length: rank }, (_, axis) => axes.has(axis) ? 1 : x[next++]);
  return [known(site.type(0), shape, site.elements(0))];
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
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Size: size,
  Range: range,
  OneHot: oneHot,
  NonZero: nonZero,
};
