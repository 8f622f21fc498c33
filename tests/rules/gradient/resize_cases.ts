import { type Attribute, string } from "../../../src/onnx/graph.ts";
import { floats, int64s } from "../../../src/base/tensor.ts";
import { doubles, eachIndex, flatOf, normals, type RuleCase } from "../check_rule.ts";

/** Position in the input of element i, by the ONNX specification's formulas. */
const COORDINATES: Record<string, (i: number, from: number, to: number, scale: number) => number> =
  {
    asymmetric: (i, _from, _to, scale) => i / scale,
    half_pixel: (i, _from, _to, scale) => (i + 0.5) / scale - 0.5,
    pytorch_half_pixel: (i, _from, to, scale) => to > 1 ? (i + 0.5) / scale - 0.5 : 0,
    align_corners: (i, from, to) => to > 1 ? i * (from - 1) / (to - 1) : 0,
  };

const ROUNDING: Record<string, (x: number) => number> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (x) => x - Math.floor(x) === 0.5 ? Math.floor(x) : Math.round(x),
  round_prefer_ceil: Math.round,
};

/** Resizes by looking up or interpolating between neighbours, each output element by itself. */
function resized(
  to: readonly number[],
  mode: string,
  coordinates: string,
  rounding: string,
  scales?: readonly number[],
): RuleCase["forward"] {
  return ([x]) => {
    const y = doubles(to);
    const clamp = (i: number, axis: number) => Math.min(Math.max(i, 0), x!.shape[axis] - 1);
    eachIndex(to, (index, flat) => {
      const at = index.map((i, axis) => {
        const from = x!.shape[axis];
        return COORDINATES[coordinates](i, from, to[axis], scales?.[axis] ?? to[axis] / from);
      });
      if (mode === "nearest") {
        const nearest = at.map((p, axis) => clamp(ROUNDING[rounding](p), axis));
        y.data[flat] = x!.data[flatOf(x!.shape, nearest)];
        return;
      }
      const inside = at.map((p, axis) => clamp(p, axis));
      eachIndex(to.map(() => 2), (corner) => {
        const weight = inside.reduce((w, p, axis) => {
          const part = p - Math.floor(p);
          return w * (corner[axis] ? part : 1 - part);
        }, 1);
        if (weight === 0) return;
        const neighbour = inside.map((p, axis) => clamp(Math.floor(p) + corner[axis], axis));
        y.data[flat] += weight * x!.data[flatOf(x!.shape, neighbour)];
      });
    });
    return y;
  };
}

const from = [2, 3, 4, 3];

function of(
  name: string,
  to: number[],
  o: { mode?: string; coordinates?: string; rounding?: string; scales?: number[] },
  more: Partial<RuleCase> = {},
): RuleCase {
  const { mode = "nearest", coordinates = "half_pixel", rounding = "round_prefer_floor" } = o;
  const attributes: Record<string, Attribute> = {
    mode: string(mode),
    coordinate_transformation_mode: string(coordinates),
    nearest_mode: string(rounding),
  };
  return {
    name,
    op: "Resize",
    attributes,
    inputs: o.scales
      ? [normals(from), null, floats([4], o.scales)]
      : [normals(from), null, null, int64s([4], to)],
    // Sizes are stated with the batch, which is then not free.
    free: o.scales ? [0] : [],
    forward: resized(to, mode, coordinates, rounding, o.scales),
    ...more,
  };
}

const linear = { mode: "linear" };

/** Cases of the gradient rules of resizing. */
export const CASES: readonly RuleCase[] = [
  of("nearest, twice the size", [2, 3, 8, 6], {
    coordinates: "asymmetric",
    rounding: "floor",
    scales: [1, 1, 2, 2],
  }),
  of("nearest, half pixels", [2, 3, 7, 5], {}),
  of("nearest, smaller, ceil", [2, 3, 2, 2], { rounding: "ceil", coordinates: "asymmetric" }),
  of("linear, half pixels", [2, 3, 8, 6], { ...linear, scales: [1, 1, 2, 2] }),
  of("linear, PyTorch's half pixels", [2, 3, 7, 5], {
    ...linear,
    coordinates: "pytorch_half_pixel",
  }),
  of("linear, aligned corners", [2, 3, 7, 5], { ...linear, coordinates: "align_corners" }),
  of("linear, smaller", [2, 3, 3, 2], linear),
  {
    name: "nearest, operator set 9",
    op: "Upsample",
    opset: 9,
    attributes: { mode: string("nearest") },
    inputs: [normals(from), floats([4], [1, 1, 2, 3])],
    forward: resized([2, 3, 8, 9], "nearest", "asymmetric", "floor"),
  },
  {
    name: "linear, operator set 10",
    op: "Resize",
    opset: 10,
    attributes: { mode: string("linear") },
    inputs: [normals(from), floats([4], [1, 1, 2, 2])],
    forward: resized([2, 3, 8, 6], "linear", "asymmetric", "floor"),
  },
];
