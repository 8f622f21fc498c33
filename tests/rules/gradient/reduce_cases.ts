import { type Attribute, int, ints } from "../../../src/onnx/graph.ts";
import { floats, int64s } from "../../../src/base/tensor.ts";
import {
  type Doubles,
  doubles,
  eachIndex,
  flatOf,
  normals,
  type RuleCase,
  spaced,
} from "../check_rule.ts";

const image = [2, 3, 2, 4];

function reduced(
  x: Doubles,
  axes: readonly number[],
  keep: boolean,
  f: (elements: number[]) => number,
): Doubles {
  const kept = x.shape.map((n, axis) => axes.includes(axis) ? 1 : n);
  const groups: number[][] = Array.from(
    { length: kept.reduce((a, b) => a * b, 1) },
    () => [],
  );
  eachIndex(x.shape, (index, flat) => {
    const at = index.map((i, axis) => axes.includes(axis) ? 0 : i);
    groups[flatOf(kept, at)].push(x.data[flat]);
  });
  return doubles(
    keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis)),
    groups.map(f),
  );
}

const total = (elements: number[]) => elements.reduce((a, b) => a + b, 0);
const FUNCTIONS: Record<string, (elements: number[]) => number> = {
  ReduceSum: total,
  ReduceMean: (e) => total(e) / e.length,
  ReduceMax: (e) => Math.max(...e),
  ReduceMin: (e) => Math.min(...e),
  ReduceSumSquare: (e) => total(e.map((x) => x * x)),
  ReduceL1: (e) => total(e.map(Math.abs)),
  ReduceL2: (e) => Math.sqrt(total(e.map((x) => x * x))),
  ReduceLogSumExp: (e) => Math.log(total(e.map(Math.exp))),
};

function of(
  op: string,
  name: string,
  axes: readonly number[],
  how: { attribute?: number[]; input?: number[]; keep?: boolean; noop?: boolean },
  more: Partial<RuleCase> = {},
): RuleCase {
  const attributes: Record<string, Attribute> = {
    ...(how.attribute ? { axes: ints(how.attribute) } : {}),
    ...(how.keep === false ? { keepdims: int(0) } : {}),
    ...(how.noop ? { noop_with_empty_axes: int(1) } : {}),
  };
  return {
    name,
    op,
    attributes,
    inputs: [spaced(image), ...(how.input ? [int64s([how.input.length], how.input)] : [])],
    forward: ([x]) => reduced(x!, axes, how.keep !== false, FUNCTIONS[op]),
    ...more,
  };
}

const tied = floats(image, normals(image).data.map((e) => Math.round(e)));

/** Equal parts for all that reach the extremum of the last axis. */
function shares(op: string): NonNullable<RuleCase["twin"]> {
  return ([x], u) => {
    const gradient = doubles(x!.shape);
    for (let row = 0; row < u.data.length; row++) {
      const elements = [...x!.data.subarray(row * 4, row * 4 + 4)];
      const reached = elements.map((e) => e === FUNCTIONS[op](elements) ? 1 : 0);
      reached.forEach((one, i) => gradient.data[row * 4 + i] = one * u.data[row] / total(reached));
    }
    return [gradient];
  };
}

/** Cases of the gradient rules of reductions. */
export const CASES: readonly RuleCase[] = [
  of("ReduceMean", "global pooling", [2, 3], { attribute: [2, 3] }),
  of("ReduceMean", "global pooling without axes kept", [2, 3], {
    attribute: [-2, -1],
    keep: false,
  }),
  of("ReduceMean", "axes as input", [2, 3], { input: [-1, 2], keep: false }, { opset: 18 }),
  of("ReduceMean", "one inner axis", [1], { attribute: [1], keep: false }),
  of("ReduceMean", "operator set 9", [2, 3], { attribute: [2, 3], keep: false }, { opset: 9 }),
  of("ReduceSum", "axes as input", [2, 3], { input: [2, 3] }),
  of("ReduceSum", "without axes kept", [1, 3], { input: [3, 1], keep: false }),
  of("ReduceSum", "axes as attribute", [1], { attribute: [1], keep: false }, { opset: 11 }),
  of("ReduceSum", "everything", [0, 1, 2, 3], { keep: false }, { inputs: [normals(image)] }),
  of("ReduceSum", "no axes, as told", [], { noop: true, input: [] }),
  ...["ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMin"]
    .flatMap((op) => [
      of(op, "two axes", [2, 3], { attribute: [2, 3] }),
      of(op, "last axis, not kept", [3], { input: [3], keep: false }, { opset: 18 }),
    ]),
  ...["ReduceMax", "ReduceMin"].map((op) =>
    of(op, "equal elements share", [3], { attribute: [3] }, { inputs: [tied], twin: shares(op) })
  ),
];
