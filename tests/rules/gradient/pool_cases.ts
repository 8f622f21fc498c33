import { type Attribute, int, ints, string } from "../../../src/onnx/graph.ts";
import { floats } from "../../../src/base/tensor.ts";
import {
  type Doubles,
  doubles,
  eachIndex,
  flatOf,
  normals,
  type RuleCase,
  spaced,
} from "../check_rule.ts";

interface Geometry {
  kernel: number[];
  strides?: number[];
  dilations?: number[];
  pads?: number[];
  /** Output extents, where they do not follow from the rest by rounding down. */
  output?: number[];
  includePad?: boolean;
}

/** Visits every window: its place in the output and the positions in it that lie inside the input. */
function eachWindow(
  shape: readonly number[],
  g: Geometry,
  visit: (at: readonly number[], inside: number[], counted: number) => void,
): number[] {
  const [n, c, ...size] = shape as number[];
  const one = size.map(() => 1);
  const { kernel, strides = one, dilations = one, pads = [...one, ...one].map(() => 0) } = g;
  const axes = size.length;
  const out = g.output ?? size.map((s, i) =>
    Math.floor(
      (s + pads[i] + pads[i + axes] - (kernel[i] - 1) * dilations[i] - 1) / strides[i],
    ) + 1
  );
  const result = [n!, c!, ...out];
  eachIndex(result, ([batch, channel, ...at]) => {
    const inside: number[] = [];
    let counted = 0;
    eachIndex(kernel, (k) => {
      const position = at.map((o, i) => o * strides[i] + k[i] * dilations[i] - pads[i]);
      if (position.every((p, i) => p >= -pads[i] && p < size[i] + pads[i + axes])) counted++;
      if (position.some((p, i) => p < 0 || p >= size[i])) return;
      inside.push(flatOf(shape, [batch!, channel!, ...position]));
    });
    visit([batch!, channel!, ...at], inside, g.includePad ? counted : inside.length);
  });
  return result;
}

/** The first of the largest, in the order given. */
function firstLargest(data: Float64Array, positions: readonly number[]): number {
  return positions.reduce((best, position) => data[position] > data[best] ? position : best);
}

function maxPooled([x]: readonly Doubles[], g: Geometry): Doubles {
  const values: number[] = [];
  const shape = eachWindow(x!.shape, g, (_at, inside) => {
    values.push(x!.data[firstLargest(x!.data, inside)]);
  });
  return doubles(shape, values);
}

/** The gradient as PyTorch defines it: to the first maximum of a window. */
function maxPoolTwin([x]: readonly Doubles[], u: Doubles, g: Geometry): Doubles[] {
  const gradient = doubles(x!.shape);
  let window = 0;
  eachWindow(x!.shape, g, (_at, inside) => {
    gradient.data[firstLargest(x!.data, inside)] += u.data[window++];
  });
  return [gradient];
}

function averagePooled([x]: readonly Doubles[], g: Geometry): Doubles {
  const values: number[] = [];
  const shape = eachWindow(x!.shape, g, (_at, inside, counted) => {
    values.push(inside.reduce((sum, position) => sum + x!.data[position], 0) / counted);
  });
  return doubles(shape, values);
}

function attributes(g: Geometry): Record<string, Attribute> {
  return {
    kernel_shape: ints(g.kernel),
    ...(g.strides ? { strides: ints(g.strides) } : {}),
    ...(g.dilations ? { dilations: ints(g.dilations) } : {}),
    ...(g.pads ? { pads: ints(g.pads) } : {}),
    ...(g.output ? { ceil_mode: int(1) } : {}),
    ...(g.includePad ? { count_include_pad: int(1) } : {}),
  };
}

function max(name: string, shape: number[], g: Geometry, more: Partial<RuleCase> = {}): RuleCase {
  return {
    name,
    op: "MaxPool",
    attributes: attributes(g),
    inputs: [spaced(shape)],
    forward: (inputs) => maxPooled(inputs, g),
    ...more,
  };
}

/** Whole numbers 0 … 2, so that most windows have several maxima. */
function ties(shape: number[]) {
  const x = normals(shape, 5);
  return floats(shape, x.data.map((e) => Math.min(2, Math.floor(Math.abs(e) * 2))));
}

function tied(name: string, shape: number[], g: Geometry, more: Partial<RuleCase> = {}): RuleCase {
  return max(name, shape, g, {
    inputs: [ties(shape)],
    twin: (inputs, u) => maxPoolTwin(inputs, u, g),
    ...more,
  });
}

function average(
  name: string,
  shape: number[],
  g: Geometry,
  more: Partial<RuleCase> = {},
): RuleCase {
  return {
    name,
    op: "AveragePool",
    attributes: attributes(g),
    inputs: [normals(shape)],
    forward: (inputs) => averagePooled(inputs, g),
    ...more,
  };
}

const samePadding: Partial<RuleCase> = {
  attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), auto_pad: string("SAME_UPPER") },
};
const same = { kernel: [3, 3], strides: [2, 2], pads: [0, 1, 1, 1] };

/** Cases of the gradient rules of pooling. */
export const CASES: readonly RuleCase[] = [
  max("3/2, windows overlap", [2, 3, 7, 7], { kernel: [3, 3], strides: [2, 2] }),
  max("2/2", [2, 2, 4, 6], { kernel: [2, 2], strides: [2, 2] }),
  max("2/2 that leaves a border unread", [1, 2, 5, 7], { kernel: [2, 2], strides: [2, 2] }),
  max("windows smaller than the stride", [1, 2, 8, 9], { kernel: [2, 2], strides: [3, 4] }),
  max("1×1 with stride 2", [1, 2, 5, 4], { kernel: [1, 1], strides: [2, 2] }),
  max("padding", [1, 2, 6, 5], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  max("all values under 0, with padding", [1, 1, 4, 4], { kernel: [3, 3], pads: [1, 1, 1, 1] }, {
    inputs: [floats([1, 1, 4, 4], spaced([1, 1, 4, 4]).data.map((e) => e - 10))],
  }),
  max("uneven kernel, stride and asymmetric padding", [1, 2, 6, 7], {
    kernel: [3, 2],
    strides: [1, 2],
    pads: [2, 0, 0, 1],
  }),
  max("dilation", [1, 2, 8, 7], { kernel: [2, 3], dilations: [3, 2], strides: [2, 1] }),
  max("ceil_mode", [1, 2, 6, 6], { kernel: [3, 3], strides: [2, 2], output: [3, 3] }),
  max("auto_pad SAME_UPPER", [1, 2, 6, 5], same, samePadding),
  max("one axis", [2, 2, 9], { kernel: [3], strides: [2] }),
  max("three axes", [1, 1, 4, 5, 4], { kernel: [2, 3, 2], strides: [2, 1, 1] }, {
    refusedBy: { webgpu: "its ConvTranspose has at most two spatial axes" },
  }),
  tied("several maxima, windows overlap", [2, 2, 7, 7], { kernel: [3, 3], strides: [2, 2] }),
  tied("several maxima, stride 1 and padding", [1, 2, 5, 5], {
    kernel: [3, 3],
    pads: [1, 1, 1, 1],
  }),
  tied("several maxima, dilation", [1, 2, 7, 7], { kernel: [2, 2], dilations: [2, 3] }),
  tied("several maxima, operator set 9", [1, 2, 7, 6], { kernel: [3, 3], strides: [2, 2] }, {
    opset: 9,
  }),
  tied("several maxima, operator set 21", [1, 2, 7, 6], { kernel: [3, 3], strides: [2, 2] }, {
    opset: 21,
  }),

  average("2/2", [2, 3, 4, 6], { kernel: [2, 2], strides: [2, 2] }),
  average("3/2, windows overlap", [1, 2, 7, 8], { kernel: [3, 3], strides: [2, 2] }),
  average("3/1", [1, 2, 5, 6], { kernel: [3, 3] }),
  average("3/1 with padding that does not count", [1, 2, 5, 6], {
    kernel: [3, 3],
    pads: [1, 1, 1, 1],
  }),
  average("3/1 with padding that counts", [1, 2, 5, 6], {
    kernel: [3, 3],
    pads: [1, 1, 1, 1],
    includePad: true,
  }),
  average("3/2 with asymmetric padding that does not count", [1, 2, 6, 7], {
    kernel: [3, 2],
    strides: [2, 2],
    pads: [0, 1, 2, 0],
  }),
  average("3/2 with padding that counts", [1, 2, 6, 7], {
    kernel: [3, 2],
    strides: [2, 2],
    pads: [0, 1, 2, 0],
    includePad: true,
  }),
  average("ceil_mode", [1, 2, 6, 6], { kernel: [3, 3], strides: [2, 2], output: [3, 3] }),
  average("ceil_mode with padding that counts", [1, 1, 6, 6], {
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output: [4, 4],
    includePad: true,
  }),
  average("ceil_mode with padding that does not count", [1, 1, 6, 7], {
    kernel: [3, 3],
    strides: [2, 3],
    pads: [1, 1, 1, 1],
    output: [4, 3],
  }),
  average("everything", [2, 3, 4, 5], { kernel: [4, 5] }),
  average("auto_pad SAME_UPPER", [1, 2, 6, 5], same, samePadding),
  average("dilation", [1, 2, 8, 7], { kernel: [2, 3], dilations: [3, 2], strides: [2, 1] }, {
    opset: 19,
  }),
  average("one axis", [2, 2, 9], { kernel: [3], strides: [2], pads: [1, 1] }),
  average("three axes with stride 1, as in an exported LRN", [1, 1, 6, 3, 4], {
    kernel: [5, 1, 1],
    pads: [2, 0, 0, 2, 0, 0],
    includePad: true,
  }),
  average("operator set 9", [1, 2, 5, 6], {
    kernel: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }, { opset: 9 }),

  {
    name: "planes",
    op: "GlobalAveragePool",
    inputs: [normals([2, 3, 4, 5])],
    forward: (inputs) => averagePooled(inputs, { kernel: [4, 5] }),
  },
  {
    name: "one axis",
    op: "GlobalAveragePool",
    inputs: [normals([2, 3, 7])],
    forward: (inputs) => averagePooled(inputs, { kernel: [7] }),
  },
  {
    name: "planes",
    op: "GlobalMaxPool",
    inputs: [spaced([2, 3, 4, 5])],
    forward: (inputs) => maxPooled(inputs, { kernel: [4, 5] }),
  },
  {
    name: "several maxima",
    op: "GlobalMaxPool",
    inputs: [ties([2, 3, 4, 5])],
    forward: (inputs) => maxPooled(inputs, { kernel: [4, 5] }),
    twin: (inputs, u) => maxPoolTwin(inputs, u, { kernel: [4, 5] }),
  },
  {
    name: "several maxima, operator set 18",
    op: "GlobalMaxPool",
    opset: 18,
    inputs: [ties([2, 3, 4, 5])],
    forward: (inputs) => maxPooled(inputs, { kernel: [4, 5] }),
    twin: (inputs, u) => maxPoolTwin(inputs, u, { kernel: [4, 5] }),
  },
];
