import { type Attribute, float, int } from "../../../src/onnx/graph.ts";
import { type Doubles, doubles, normals, type RuleCase, uniforms } from "../check_rule.ts";

const image = [2, 6, 3, 2];

function of(
  op: string,
  name: string,
  inputs: RuleCase["inputs"],
  forward: RuleCase["forward"],
  attributes: Record<string, Attribute> = {},
  more: Partial<RuleCase> = {},
): RuleCase {
  return { name, op, inputs, forward, attributes, ...more };
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Standardises each run of `size` neighbouring elements; `scale` and `bias` by position in the whole. */
function standardise(
  x: Doubles,
  size: number,
  epsilon: number,
  scale: (at: number) => number,
  bias: (at: number) => number,
): Doubles {
  const y = doubles(x.shape);
  for (let start = 0; start < x.data.length; start += size) {
    const run = x.data.subarray(start, start + size);
    const mean = run.reduce((a, b) => a + b) / size;
    const variance = run.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
    run.forEach((e, i) => {
      const at = start + i;
      y.data[at] = (e - mean) / Math.sqrt(variance + epsilon) * scale(at) + bias(at);
    });
  }
  return y;
}

const vector = (n: number, seed: number) => normals([n], seed);
const positive = (n: number, seed: number) => uniforms([n], 0.5, 2, seed);

function batchNorm(epsilon: number): RuleCase["forward"] {
  return ([x, scale, bias, mean, variance]) => {
    const plane = sizeOf(x!.shape.slice(2));
    const channels = x!.shape[1];
    return doubles(
      x!.shape,
      x!.data.map((e, i) => {
        const c = Math.floor(i / plane) % channels;
        return (e - mean!.data[c]) / Math.sqrt(variance!.data[c] + epsilon) * scale!.data[c] +
          bias!.data[c];
      }),
    );
  };
}

const batchInputs = (shape: number[]) => [
  normals(shape, 1),
  vector(shape[1], 2),
  vector(shape[1], 3),
  vector(shape[1], 4),
  positive(shape[1], 5),
];

function localResponse(
  size: number,
  { alpha = 1e-4, beta = 0.75, bias = 1 } = {},
): RuleCase["forward"] {
  return ([x]) => {
    const channels = x!.shape[1];
    const plane = sizeOf(x!.shape.slice(2));
    return doubles(
      x!.shape,
      x!.data.map((e, i) => {
        const c = Math.floor(i / plane) % channels;
        let total = 0;
        for (let k = c - Math.floor((size - 1) / 2); k <= c + Math.ceil((size - 1) / 2); k++) {
          if (k >= 0 && k < channels) total += x!.data[i + (k - c) * plane] ** 2;
        }
        return e * (bias + alpha / size * total) ** -beta;
      }),
    );
  };
}

function lrn(name: string, size: number, o: { alpha?: number; beta?: number; bias?: number } = {}) {
  const attributes = Object.fromEntries(Object.entries(o).map(([k, v]) => [k, float(v)]));
  return of("LRN", name, [normals(image, 1)], localResponse(size, o), {
    size: int(size),
    ...attributes,
  });
}

const layer = (size: number, withBias = true): RuleCase["forward"] => ([x, scale, bias]) =>
  standardise(
    x!,
    size,
    1e-5,
    (i) => scale!.data[i % size],
    (i) => withBias ? bias!.data[i % size] : 0,
  );

const instance: RuleCase["forward"] = ([x, scale, bias]) => {
  const plane = sizeOf(x!.shape.slice(2));
  const channel = (i: number) => Math.floor(i / plane) % x!.shape[1];
  return standardise(
    x!,
    plane,
    1e-3,
    (i) => scale!.data[channel(i)],
    (i) => bias!.data[channel(i)],
  );
};

const group = (groups: number, perGroup: boolean): RuleCase["forward"] => ([x, scale, bias]) => {
  const channels = x!.shape[1];
  const plane = sizeOf(x!.shape.slice(2));
  const index = (i: number) => {
    const c = Math.floor(i / plane) % channels;
    return perGroup ? Math.floor(c / (channels / groups)) : c;
  };
  return standardise(
    x!,
    plane * channels / groups,
    1e-5,
    (i) => scale!.data[index(i)],
    (i) => bias!.data[index(i)],
  );
};

const unit: RuleCase["forward"] = ([x]) => {
  const size = x!.shape.at(-1)!;
  return doubles(
    x!.shape,
    x!.data.map((e, i) => {
      const start = i - i % size;
      return e / Math.hypot(...x!.data.subarray(start, start + size));
    }),
  );
};

/** Cases of the gradient rules of normalisations. */
export const CASES: readonly RuleCase[] = [
  of("BatchNormalization", "planes", batchInputs(image), batchNorm(1e-5)),
  of("BatchNormalization", "stated epsilon", batchInputs(image), batchNorm(0.01), {
    epsilon: float(0.01),
  }),
  of("BatchNormalization", "rows", batchInputs([3, 4]), batchNorm(1e-5)),
  of("BatchNormalization", "operator set 9", batchInputs(image), batchNorm(1e-5), {}, { opset: 9 }),
  lrn("five channels, as in AlexNet", 5),
  lrn("large coefficients", 5, { alpha: 0.5, beta: 1.2, bias: 2 }),
  lrn("more neighbours than channels", 9, { alpha: 0.8 }),
  of("LRN", "operator set 9", [normals(image, 1)], localResponse(3, { alpha: 0.7 }), {
    size: int(3),
    alpha: float(0.7),
  }, { opset: 9 }),
  of(
    "LayerNormalization",
    "last axis",
    [normals([2, 3, 8], 1), vector(8, 2), vector(8, 3)],
    layer(8),
  ),
  of(
    "LayerNormalization",
    "last two axes, no bias",
    [normals([2, 3, 4], 1), normals([3, 4], 2)],
    layer(12, false),
    { axis: int(1) },
  ),
  of(
    "LayerNormalization",
    "operator set 18",
    [normals([2, 3, 8], 1), vector(8, 2), vector(8, 3)],
    layer(8),
    {},
    { opset: 18 },
  ),
  of(
    "InstanceNormalization",
    "planes",
    [normals(image, 1), vector(6, 2), vector(6, 3)],
    instance,
    { epsilon: float(1e-3) },
  ),
  of(
    "GroupNormalization",
    "one scale a group",
    [normals(image, 1), vector(2, 2), vector(2, 3)],
    group(2, true),
    { num_groups: int(2) },
    { opset: 18 },
  ),
  of(
    "GroupNormalization",
    "one scale a channel",
    [normals(image, 1), vector(6, 2), vector(6, 3)],
    group(3, false),
    { num_groups: int(3) },
    { opset: 21 },
  ),
  of("LpNormalization", "last axis", [normals([2, 3, 4])], unit, { axis: int(-1), p: int(2) }),
];
