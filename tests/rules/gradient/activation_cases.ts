import { float, string } from "../../../src/onnx/graph.ts";
import { type AnyTensor, floats } from "../../../src/base/tensor.ts";
import { doubles, normals, type RuleCase, spaced, uniforms } from "../check_rule.ts";

const image = [2, 3, 2, 4];
/** From −5 to 5, with no element near ±2.5 or ±3. */
const wide = floats(image, spaced(image).data.map((x) => 2.1 * x));

function of(
  op: string,
  f: (x: number) => number,
  more: Partial<RuleCase> & { x?: AnyTensor } = {},
): RuleCase {
  const { x = spaced(image), ...rest } = more;
  return {
    name: "both sides of its corners",
    op,
    inputs: [x],
    forward: ([x]) => doubles(x!.shape, x!.data.map(f)),
    ...rest,
  };
}

/** At exactly the given elements, with the slope there as PyTorch has it. */
function corner(
  op: string,
  f: (x: number) => number,
  at: readonly number[],
  slopes: readonly number[],
  more: Partial<RuleCase> = {},
): RuleCase {
  return of(op, f, {
    name: `at its corners (${at})`,
    x: floats([at.length], [...at]),
    twin: (_inputs, u) => [doubles([at.length], slopes.map((slope, i) => slope * u.data[i]))],
    ...more,
  });
}

const clamp = (low: number, high: number) => (x: number) => Math.min(Math.max(x, low), high);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log1p(Math.exp(x));
const hardSigmoid = (x: number) => clamp(0, 1)(x / 6 + 0.5);
const elu = (alpha: number) => (x: number) => x > 0 ? x : alpha * Math.expm1(x);

/** erf by its power series, good to 1e-15 for |x| < 4. */
function erf(x: number): number {
  let term = x, total = x;
  for (let n = 1; n < 200; n++) {
    term *= -x * x / n;
    total += term / (2 * n + 1);
  }
  return 2 / Math.sqrt(Math.PI) * total;
}

const alpha = (value: number) => ({ attributes: { alpha: float(value) } });
const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
const geluTanh = (x: number) =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const bounds = [floats([], [-0.5]), floats([], [1])];
const sixth = { attributes: { alpha: float(1 / 6), beta: float(0.5) } };

/** Cases of the gradient rules of functions of one element. */
export const CASES: readonly RuleCase[] = [
  of("Relu", (x) => Math.max(x, 0)),
  corner("Relu", (x) => Math.max(x, 0), [-1, 0, 1], [0, 0, 1]),
  of("Clip", clamp(-0.5, 1), { inputs: [spaced(image), ...bounds] }),
  of("Clip", clamp(0, 6), {
    name: "operator set 9, bounds as attributes",
    opset: 9,
    attributes: { min: float(0), max: float(6) },
    x: uniforms(image, -3, 9),
  }),
  of("Clip", (x) => Math.max(x, -0.5), {
    name: "no upper bound",
    inputs: [spaced(image), bounds[0]],
  }),
  of("Clip", (x) => Math.min(x, 1), {
    name: "no lower bound",
    inputs: [spaced(image), null, bounds[1]],
  }),
  corner("Clip", clamp(-0.5, 1), [-0.6, -0.5, 0, 1, 1.1], [0, 1, 1, 1, 0], {
    inputs: [floats([5], [-0.6, -0.5, 0, 1, 1.1]), ...bounds],
  }),
  of("Sigmoid", sigmoid),
  of("Tanh", Math.tanh),
  of("HardSigmoid", (x) => clamp(0, 1)(0.2 * x + 0.5), { x: wide }),
  of("HardSigmoid", hardSigmoid, { name: "MobileNetV3's", x: wide, ...sixth }),
  corner("HardSigmoid", hardSigmoid, [-4, -3, 0, 3, 4], [0, 0, 1 / 6, 0, 0], sixth),
  of("HardSwish", (x) => x * hardSigmoid(x), { x: wide }),
  corner("HardSwish", (x) => x * hardSigmoid(x), [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1]),
  of("LeakyRelu", (x) => x > 0 ? x : 0.1 * x, alpha(0.1)),
  of("LeakyRelu", (x) => x > 0 ? x : 0.01 * x, { name: "default slope" }),
  corner("LeakyRelu", (x) => x > 0 ? x : 0.1 * x, [-1, 0, 1], [0.1, 0.1, 1], alpha(0.1)),
  {
    name: "one slope a channel",
    op: "PRelu",
    inputs: [spaced(image), floats([3, 1, 1], [0.1, 0.25, -0.5])],
    forward: ([x, slope]) =>
      doubles(
        x!.shape,
        x!.data.map((e, i) => e > 0 ? e : e * slope!.data[Math.floor(i / 8) % 3]),
      ),
  },
  of("Elu", elu(1)),
  of("Elu", elu(0.5), { name: "α = 0.5", ...alpha(0.5) }),
  of("Elu", elu(1), { name: "far from 0", x: floats([4], [-80, -200, 90, 200]) }),
  of("Selu", (x) => 1.0507009873554805 * elu(1.6732632423543772)(x)),
  of("Celu", (x) => x > 0 ? x : 2 * Math.expm1(x / 2), alpha(2)),
  of("ThresholdedRelu", (x) => x > 0.3 ? x : 0, alpha(0.3)),
  of("Softplus", softplus),
  of("Softsign", (x) => x / (1 + Math.abs(x))),
  of("Mish", (x) => x * Math.tanh(softplus(x)), { opset: 18 }),
  of("Gelu", gelu, { opset: 20, x: uniforms(image, -3, 3) }),
  of("Gelu", geluTanh, {
    name: "tanh",
    opset: 20,
    x: uniforms(image, -3, 3),
    attributes: { approximate: string("tanh") },
  }),
  of("Gelu", gelu, { name: "Microsoft's", domain: "com.microsoft", x: uniforms(image, -3, 3) }),
  of("Neg", (x) => -x),
  of("Abs", Math.abs),
  corner("Abs", Math.abs, [-2, 0, 2], [-1, 0, 1]),
  of("Exp", Math.exp),
  of("Log", Math.log, { x: uniforms(image, 0.5, 3) }),
  of("Sqrt", Math.sqrt, { x: uniforms(image, 0.5, 3) }),
  of("Reciprocal", (x) => 1 / x, { x: uniforms(image, -3, -0.5) }),
  of("Erf", erf, { x: normals(image) }),
  of("Sin", Math.sin),
  of("Cos", Math.cos),
];
