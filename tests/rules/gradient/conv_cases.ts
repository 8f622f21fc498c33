import { int, ints, string } from "../../../src/onnx/graph.ts";
import { type Doubles, doubles, eachIndex, flatOf, normals, type RuleCase } from "../check_rule.ts";

interface Geometry {
  group?: number;
  strides?: number[];
  dilations?: number[];
  /** Before each axis, then after each. */
  pads?: number[];
}

/** Convolution by its definition; `w` is [M, C/group, k…]. */
function convolve([x, w, bias]: readonly Doubles[], g: Geometry): Doubles {
  const axes = x!.shape.length - 2;
  const one = Array.from({ length: axes }, () => 1);
  const strides = g.strides ?? one, dilations = g.dilations ?? one;
  const pads = g.pads ?? [...one, ...one].map(() => 0);
  const group = g.group ?? 1;
  const [n, , ...size] = x!.shape as number[];
  const [m, perGroup, ...kernel] = w!.shape as number[];
  const out = size.map((s, i) =>
    Math.floor(
      (s + pads[i] + pads[i + axes] - (kernel[i] - 1) * dilations[i] - 1) / strides[i],
    ) + 1
  );
  const y = doubles([n!, m!, ...out]);
  eachIndex(y.shape, ([batch, channel, ...at], flat) => {
    let total = bias && bias.data.length > 0 ? bias.data[channel!] : 0;
    const first = Math.floor(channel! / (m! / group)) * perGroup!;
    eachIndex([perGroup!, ...kernel], ([c, ...k], inner) => {
      const position = at.map((o, i) => o * strides[i] + k[i] * dilations[i] - pads[i]);
      if (position.some((p, i) => p < 0 || p >= size[i])) return;
      total += x!.data[flatOf(x!.shape, [batch!, first + c!, ...position])] *
        w!.data[channel! * perGroup! * kernel.reduce((a, b) => a * b, 1) + inner];
    });
    y.data[flat] = total;
  });
  return y;
}

/** Transposed convolution by its definition; `w` is [C, M/group, k…]. */
function convolveTransposed(
  [x, w]: readonly Doubles[],
  g: Geometry & { outputPadding?: number[] },
): Doubles {
  const axes = x!.shape.length - 2;
  const one = Array.from({ length: axes }, () => 1);
  const strides = g.strides ?? one, dilations = g.dilations ?? one;
  const pads = g.pads ?? [...one, ...one].map(() => 0);
  const extra = g.outputPadding ?? one.map(() => 0);
  const group = g.group ?? 1;
  const [n, channels, ...size] = x!.shape as number[];
  const [, perGroup, ...kernel] = w!.shape as number[];
  const out = size.map((s, i) =>
    (s - 1) * strides[i] + extra[i] + (kernel[i] - 1) * dilations[i] + 1 - pads[i] -
    pads[i + axes]
  );
  const y = doubles([n!, perGroup! * group, ...out]);
  eachIndex(x!.shape, ([batch, channel, ...at], flat) => {
    const first = Math.floor(channel! / (channels! / group)) * perGroup!;
    eachIndex([perGroup!, ...kernel], ([c, ...k]) => {
      const position = at.map((o, i) => o * strides[i] + k[i] * dilations[i] - pads[i]);
      if (position.some((p, i) => p < 0 || p >= out[i])) return;
      y.data[flatOf(y.shape, [batch!, first + c!, ...position])] += x!.data[flat] *
        w!.data[flatOf(w!.shape, [channel!, c!, ...k])];
    });
  });
  return y;
}

function conv(
  name: string,
  x: number[],
  w: number[],
  g: Geometry = {},
  more: Partial<RuleCase> = {},
): RuleCase {
  return {
    name,
    op: "Conv",
    attributes: {
      ...(g.group ? { group: int(g.group) } : {}),
      ...(g.strides ? { strides: ints(g.strides) } : {}),
      ...(g.dilations ? { dilations: ints(g.dilations) } : {}),
      ...(g.pads ? { pads: ints(g.pads) } : {}),
    },
    inputs: [normals(x, 1), normals(w, 2), normals([w[0]], 3)],
    forward: (inputs) => convolve(inputs, g),
    ...more,
  };
}

function transposed(
  name: string,
  x: number[],
  w: number[],
  g: Geometry & { outputPadding?: number[] } = {},
  more: Partial<RuleCase> = {},
): RuleCase {
  return {
    ...conv(name, x, w, g),
    op: "ConvTranspose",
    inputs: [normals(x, 1), normals(w, 2)],
    attributes: {
      ...conv(name, x, w, g).attributes,
      ...(g.outputPadding ? { output_padding: ints(g.outputPadding) } : {}),
    },
    forward: (inputs) => convolveTransposed(inputs, g),
    ...more,
  };
}

/** Cases of the gradient rules of convolutions. */
export const CASES: readonly RuleCase[] = [
  conv("3×3, no padding", [2, 3, 6, 5], [4, 3, 3, 3]),
  conv("1×1", [2, 4, 3, 3], [5, 4, 1, 1]),
  conv("padding", [2, 3, 5, 4], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  conv("stride that leaves a border unread", [1, 2, 8, 7], [3, 2, 3, 3], { strides: [2, 3] }),
  conv("1×1 with stride 2", [2, 3, 6, 5], [4, 3, 1, 1], { strides: [2, 2] }),
  conv("stride over windows smaller than it", [1, 2, 9, 9], [3, 2, 2, 2], { strides: [4, 3] }),
  conv("asymmetric padding, uneven kernel and stride", [1, 2, 6, 7], [3, 2, 3, 2], {
    strides: [2, 1],
    pads: [0, 1, 2, 0],
  }),
  conv("dilation", [1, 2, 8, 7], [3, 2, 3, 3], { dilations: [2, 1], pads: [2, 1, 2, 1] }),
  conv("dilation and stride", [1, 2, 9, 10], [3, 2, 3, 2], {
    dilations: [2, 3],
    strides: [2, 3],
    pads: [2, 1, 1, 2],
  }),
  conv("two groups", [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  conv("two groups of one channel, three outputs each", [1, 2, 5, 5], [6, 1, 3, 3], {
    group: 2,
    pads: [1, 1, 1, 1],
  }),
  conv("depthwise", [2, 5, 5, 6], [5, 1, 3, 3], { group: 5, pads: [1, 1, 1, 1] }),
  conv("depthwise with stride 2 and SAME-like padding", [1, 4, 6, 6], [4, 1, 3, 3], {
    group: 4,
    strides: [2, 2],
    pads: [0, 0, 1, 1],
  }),
  conv("depthwise with two outputs a channel", [1, 3, 5, 6], [6, 1, 3, 3], {
    group: 3,
    pads: [1, 1, 1, 1],
  }),
  conv("depthwise with four outputs a channel, dilation and stride", [2, 2, 9, 8], [8, 1, 3, 2], {
    group: 2,
    dilations: [2, 1],
    strides: [2, 3],
    pads: [1, 0, 2, 1],
  }),
  conv("groups, dilation, stride and asymmetric padding", [1, 4, 9, 8], [8, 2, 3, 2], {
    group: 2,
    dilations: [2, 3],
    strides: [2, 2],
    pads: [1, 2, 3, 1],
  }),
  conv("11×11 with stride 4, as in AlexNet", [1, 2, 19, 19], [2, 2, 11, 11], {
    strides: [4, 4],
    pads: [2, 2, 2, 2],
  }),
  conv("one axis", [2, 3, 9], [4, 3, 3], { strides: [2], pads: [1, 0] }),
  conv("without bias", [1, 2, 4, 4], [3, 2, 3, 3], {}, {
    inputs: [normals([1, 2, 4, 4], 1), normals([3, 2, 3, 3], 2)],
  }),
  conv("auto_pad SAME_UPPER with stride 2", [1, 2, 6, 5], [3, 2, 3, 3], {}, {
    attributes: { auto_pad: string("SAME_UPPER"), strides: ints([2, 2]) },
    forward: (inputs) => convolve(inputs, { strides: [2, 2], pads: [0, 1, 1, 1] }),
  }),
  conv("auto_pad SAME_LOWER with an even kernel", [1, 2, 6, 5], [3, 2, 2, 2], {}, {
    attributes: { auto_pad: string("SAME_LOWER") },
    forward: (inputs) => convolve(inputs, { pads: [1, 1, 0, 0] }),
  }),
  conv("auto_pad VALID", [1, 2, 6, 5], [3, 2, 3, 2], {}, {
    attributes: { auto_pad: string("VALID"), strides: ints([2, 2]) },
    forward: (inputs) => convolve(inputs, { strides: [2, 2] }),
  }),
  conv("operator set 9", [1, 4, 6, 5], [8, 1, 3, 3], { group: 4, pads: [1, 0, 0, 1] }, {
    opset: 9,
  }),
  conv("operator set 21", [1, 4, 6, 5], [8, 1, 3, 3], { group: 4, strides: [2, 2] }, {
    opset: 21,
  }),

  transposed("3×3", [2, 3, 4, 3], [3, 2, 3, 3]),
  transposed("stride, padding and output padding", [1, 3, 4, 3], [3, 2, 3, 3], {
    strides: [2, 3],
    pads: [1, 1, 1, 1],
    outputPadding: [1, 2],
  }),
  transposed("groups and dilation", [1, 4, 4, 3], [4, 3, 3, 2], {
    group: 2,
    dilations: [2, 1],
    strides: [1, 2],
    pads: [1, 0, 2, 1],
  }),
];
