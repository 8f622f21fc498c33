/** Five families of classifiers with seeded weights, narrow but with the operators and the depth of the real ones. */

import { createRng, type Rng } from "../../../src/base/rng.ts";
import { float, type GraphBuilder, int, ints } from "../../../src/onnx/graph.ts";
import type { Classifier } from "../../../src/classifier/classifier.ts";
import { makeClassifier } from "../../classifier/made_classifier.ts";
import { put } from "../../onnx/native.ts";

/** Adds layers with weights drawn from one stream. */
class Layers {
  constructor(readonly b: GraphBuilder, readonly rng: Rng) {}

  normal(shape: readonly number[], size: number, mean = 0): string {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return this.b.floats(
      shape,
      Float32Array.from({ length: count }, () => mean + size * this.rng.normal()),
    );
  }

  channels(x: string): number {
    return this.b.shape(x)[1] as number;
  }

  conv(
    x: string,
    out: number,
    kernel: number,
    { stride = 1, pad = kernel >> 1, group = 1 }: {
      stride?: number;
      pad?: number;
      group?: number;
    } = {},
  ): string {
    const into = this.channels(x) / group;
    const weights = this.normal(
      [out, into, kernel, kernel],
      Math.sqrt(2 / (into * kernel * kernel)),
    );
    return this.b.op("Conv", [x, weights, this.normal([out], 0.1)], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
      group: int(group),
    });
  }

  batchNorm(x: string): string {
    const c = this.channels(x);
    const positive = (mean: number) =>
      this.b.floats([c], Float32Array.from({ length: c }, () => mean * (0.5 + this.rng.uniform())));
    return this.b.op("BatchNormalization", [
      x,
      positive(1),
      this.normal([c], 0.2),
      this.normal([c], 0.2),
      positive(1),
    ]);
  }

  maxPool(x: string, kernel = 3, stride = 2): string {
    return this.b.op("MaxPool", [x], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
    });
  }

  lrn(x: string): string {
    return this.b.op("LRN", [x], {
      size: int(5),
      alpha: float(0.5),
      beta: float(0.75),
      bias: float(1),
    });
  }

  relu(x: string, name?: string): string {
    return name ? put(this.b, "Relu", [x], {}, name) : this.b.op("Relu", [x]);
  }

  full(x: string, out: number, gain = Math.SQRT2): string {
    const into = this.channels(x);
    const weights = this.normal([into, out], gain / Math.sqrt(into));
    return this.b.op("Gemm", [x, weights, this.normal([out], 0.1)]);
  }

  /** Over the last axis. */
  product(x: string, out: number, size = 1): string {
    const into = this.b.shape(x).at(-1) as number;
    const weights = this.normal([into, out], size / Math.sqrt(into));
    return this.b.op("Add", [this.b.op("MatMul", [x, weights]), this.normal([out], 0.1)]);
  }

  layerNorm(x: string): string {
    const size = this.b.shape(x).at(-1) as number;
    return this.b.op("LayerNormalization", [
      x,
      this.normal([size], 0.2, 1),
      this.normal([size], 0.2),
    ]);
  }

  gelu(x: string): string {
    const { b } = this;
    const cumulative = b.op("Add", [
      b.op("Erf", [b.op("Mul", [x, b.scalar(Math.SQRT1_2)])]),
      b.scalar(1),
    ]);
    return b.op("Mul", [b.op("Mul", [x, cumulative]), b.scalar(0.5)]);
  }

  pooled(x: string): string {
    return this.b.op("Flatten", [this.b.op("GlobalAveragePool", [x])]);
  }
}

/** EmoNet is an AlexNet with local response normalisation and two groups. */
function emoNet(net: Layers, x: string): string {
  let y = net.relu(net.conv(x, 16, 7, { stride: 2, pad: 0 }), "early");
  y = net.maxPool(net.lrn(y));
  y = net.relu(net.conv(y, 32, 5, { group: 2 }));
  y = net.maxPool(net.lrn(y));
  y = net.relu(net.conv(y, 48, 3));
  y = net.relu(net.conv(y, 48, 3, { group: 2 }));
  y = net.relu(net.conv(y, 32, 3, { group: 2 }), "late");
  y = net.b.op("Flatten", [net.maxPool(y)]);
  return net.full(net.relu(net.full(net.relu(net.full(y, 256)), 256)), 20);
}

function alexNet(net: Layers, x: string): string {
  let y = net.maxPool(net.relu(net.conv(x, 16, 7, { stride: 2 }), "early"));
  y = net.maxPool(net.relu(net.conv(y, 32, 5)));
  y = net.relu(net.conv(y, 48, 3));
  y = net.relu(net.conv(y, 48, 3));
  y = net.relu(net.conv(y, 32, 3), "late");
  y = net.b.op("AveragePool", [net.maxPool(y)], { kernel_shape: ints([2, 2]) });
  y = net.b.op("Flatten", [y]);
  return net.full(net.relu(net.full(net.relu(net.full(y, 512)), 512)), 8);
}

function resNet(net: Layers, x: string): string {
  const block = (y: string, out: number, stride: number, name?: string): string => {
    const inner = net.relu(net.batchNorm(net.conv(y, out, 3, { stride })));
    const after = net.batchNorm(net.conv(inner, out, 3));
    const same = stride === 1 && net.channels(y) === out;
    const around = same ? y : net.batchNorm(net.conv(y, out, 1, { stride }));
    return net.relu(net.b.op("Add", [after, around]), name);
  };
  let y = net.relu(net.batchNorm(net.conv(x, 16, 7, { stride: 2 })));
  y = put(net.b, "Identity", [net.maxPool(y)], {}, "early");
  y = block(block(y, 16, 1), 16, 1);
  y = block(block(y, 32, 2), 32, 1);
  y = block(block(y, 48, 2), 48, 1, "late");
  // Six blocks add up: their sum is large.
  return net.full(net.pooled(y), 8, 0.05);
}

function mobileNet(net: Layers, x: string): string {
  const { b } = net;
  const six = (y: string) => b.op("Clip", [y, b.scalar(0), b.scalar(6)]);
  const swish = (y: string) => b.op("HardSwish", [y]);
  const squeezed = (y: string): string => {
    const c = net.channels(y);
    const gate = net.conv(
      net.relu(net.conv(b.op("GlobalAveragePool", [y]), c / 4, 1)),
      c,
      1,
    );
    return b.op("Mul", [y, b.op("HardSigmoid", [gate], { alpha: float(1 / 6), beta: float(0.5) })]);
  };
  const inverted = (y: string, out: number, stride: number, act: (y: string) => string): string => {
    const wide = 3 * net.channels(y);
    const inner = act(net.batchNorm(net.conv(y, wide, 1)));
    const deep = act(net.batchNorm(net.conv(inner, wide, 3, { stride, group: wide })));
    const after = net.batchNorm(net.conv(squeezed(deep), out, 1));
    return stride === 1 && net.channels(y) === out ? b.op("Add", [y, after]) : after;
  };
  let y = put(b, "HardSwish", [net.batchNorm(net.conv(x, 16, 3, { stride: 2 }))], {}, "early");
  y = inverted(y, 16, 1, six);
  y = inverted(y, 24, 2, six);
  y = inverted(y, 24, 1, swish);
  y = inverted(y, 32, 2, swish);
  y = put(b, "HardSwish", [net.batchNorm(net.conv(y, 96, 1))], {}, "late");
  return net.full(swish(net.full(net.pooled(y), 64)), 8);
}

/** A vision transformer; its only grid is the patch embedding. */
function tokens(net: Layers, x: string): string {
  const { b } = net;
  const width = 48, heads = 4;
  const patches = put(b, "Identity", [net.conv(x, width, 8, { stride: 8, pad: 0 })], {}, "early");
  const [, , h, w] = b.shape(patches) as number[];
  const count = h * w + 1;
  const rows = b.op("Transpose", [b.op("Reshape", [patches, b.ints([0, width, h * w])])], {
    perm: ints([0, 2, 1]),
  });
  const first = b.op("Mul", [
    b.op("ReduceMean", [rows], { axes: ints([1]), keepdims: int(1) }),
    b.scalar(0),
  ]);
  const start = b.op("Add", [first, net.normal([1, 1, width], 1)]);
  let y = b.op("Add", [
    b.op("Concat", [start, rows], { axis: int(1) }),
    net.normal([1, count, width], 0.3),
  ]);
  for (let block = 0; block < 3; block++) {
    const normed = net.layerNorm(y);
    const split = (size: number) =>
      b.op("Transpose", [
        b.op("Reshape", [
          net.product(normed, width, size),
          b.ints([0, count, heads, width / heads]),
        ]),
      ], { perm: ints([0, 2, 1, 3]) });
    const keys = b.op("Transpose", [split(1)], { perm: ints([0, 1, 3, 2]) });
    const scores = b.op("Mul", [
      b.op("MatMul", [split(1), keys]),
      b.scalar((width / heads) ** -0.5),
    ]);
    const mixed = b.op("MatMul", [b.op("Softmax", [scores], { axis: int(-1) }), split(1)]);
    const joined = b.op("Reshape", [
      b.op("Transpose", [mixed], { perm: ints([0, 2, 1, 3]) }),
      b.ints([0, count, width]),
    ]);
    y = b.op("Add", [y, net.product(joined, width)]);
    y = b.op("Add", [y, net.product(net.gelu(net.product(net.layerNorm(y), 2 * width)), width)]);
  }
  const token = b.op("Gather", [
    net.layerNorm(y),
    b.initializer({
      type: "int64",
      shape: [],
      data: BigInt64Array.of(0n),
    }),
  ], { axis: int(1) });
  return net.full(token, 8);
}

/** The families: how a net is built, and the layers at which it is checked. */
export const FAMILIES = {
  "EmoNet": { net: emoNet, layers: ["late", "early"] },
  "AlexNet": { net: alexNet, layers: ["late", "early"] },
  "ResNet": { net: resNet, layers: ["late", "early"] },
  "MobileNet": { net: mobileNet, layers: ["late", "early"] },
  "tokens": { net: tokens, layers: ["early"] },
} as const;

/** The family's classifier with the weights of a seed, [N, 3, 64, 64], cut at a layer. */
export function family(
  name: keyof typeof FAMILIES,
  seed: number,
  layer: string,
): Promise<Classifier> {
  return makeClassifier({
    input: ["N", 3, 64, 64],
    layer,
    batch: 3,
    net: (b) => FAMILIES[name].net(new Layers(b, createRng(seed).split(name)), "x"),
  });
}
