import assert from "node:assert/strict";
import { UsageError } from "../../src/base/errors.ts";
import { floats } from "../../src/base/tensor.ts";
import type { Classifier, Forward, Gradient } from "../../src/classifier/classifier.ts";
import {
  cotangentOf,
  createContext,
  findMethods,
  gridOf,
  type Method,
  METHODS,
  runnerUp,
  scoreFunction,
  targetUnsupported,
} from "../../src/methods/mod.ts";
import type { Target } from "../../src/classifier/target.ts";

const LOGITS = floats([2, 3], [1, 5, 5, -2, -4, -3]);
const PROBABILITIES = floats([2, 3], [0.01, 0.495, 0.495, 0.7, 0.1, 0.2]);

const forward = {
  count: 2,
  activation: floats([2, 1, 1, 1], [0, 0]),
  bypass: {},
  logits: LOGITS,
  probabilities: PROBABILITIES,
  dispose() {},
} satisfies Forward;

/** Only what the functions under test read. */
const classifierWith = (members: Partial<Classifier>) => members as Classifier;

Deno.test("the runner-up is the largest other value, the first of equals", () => {
  assert.equal(runnerUp([1, 5, 3], 1), 2);
  assert.equal(runnerUp([5, 5, 5], 0), 1);
  assert.equal(runnerUp([5, 5, 5], 2), 0);
  assert.equal(runnerUp([-3, -1, -2], 2), 1);
  assert.equal(runnerUp([7], 0), 0);
});

Deno.test("the cotangent picks the class, and for the margin takes the runner-up off", () => {
  const of = (target: "logit" | "probability" | "margin", classes: number[]) => {
    const { score, cotangent } = cotangentOf(forward, target, classes);
    assert.deepEqual(cotangent.shape, [2, 3]);
    return [score, [...cotangent.data]];
  };
  assert.deepEqual(of("logit", [1, 0]), ["logits", [0, 1, 0, 1, 0, 0]]);
  assert.deepEqual(of("probability", [1, 0]), ["probabilities", [0, 1, 0, 1, 0, 0]]);
  assert.deepEqual(of("margin", [1, 0]), ["logits", [0, 1, -1, 1, 0, -1]]);
  assert.deepEqual(of("margin", [0, 2]), ["logits", [1, -1, 0, -1, 0, 1]]);
});

Deno.test("the score of a class is its logit, probability or margin", () => {
  const score = (row: number, k: number, target: Target) =>
    scoreFunction({ forward, target }, row, k)(forward, row);
  assert.equal(score(1, 2, "logit"), -3);
  assert.equal(score(1, 2, "probability"), Math.fround(0.2));
  assert.equal(score(1, 2, "margin"), -1);
  assert.equal(score(1, 0, "margin"), 1);
  assert.equal(score(0, 1, "margin"), 0);
});

Deno.test("the margin of a changed sample is to the runner-up of the sample as it was", () => {
  const changed = {
    logits: floats([2, 3], [0, 0, 0, 5, 9, 1]),
    probabilities: floats([2, 3], new Float32Array(6)),
  };
  // Of row 1 the runner-up to class 0 is class 2, also where class 1 is larger.
  const score = scoreFunction({ forward, target: "margin" }, 1, 0);
  assert.equal(score(changed, 1), 4);
  assert.equal(score(changed, 0), 0);
});

Deno.test("the methods of a batch share one gradient for each list of classes", async () => {
  const asked: number[][] = [];
  let released = 0;
  const classifier = classifierWith({
    gradient(_forward, _score, cotangent) {
      asked.push([...cotangent.data]);
      const value = {
        buffer: {} as GPUBuffer,
        type: "float32" as const,
        shape: [2, 1],
        dispose: () => released++,
      };
      const gradient: Gradient = { gradient: value, mean: value };
      return Promise.resolve(gradient);
    },
  });
  const context = createContext(classifier, forward, "logit", { seed: 0, keys: ["a", "b"] });
  const first = await context.gradient([1, 0]);
  assert.equal(await context.gradient([1, 0]), first);
  await context.gradient([2, 0]);
  await new Promise((resolve) => setTimeout(resolve));
  // Those of other classes are held no longer.
  assert.equal(released, 2);
  assert.deepEqual(asked, [[0, 1, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0]]);
  context.dispose();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(released, 4);
});

Deno.test("random numbers depend on seed, purpose and sample, not on the place in the batch or on other draws", () => {
  const draws = (keys: string[], row: number, seed = 1, purpose = "rise") => {
    const context = createContext(classifierWith({}), forward, "logit", { seed, keys });
    context.rng("other", row).uniform();
    const rng = context.rng(purpose, row);
    return [rng.uniform(), rng.uniform()];
  };
  const expected = draws(["a", "b"], 0);
  assert.deepEqual(draws(["b", "a"], 1), expected);
  assert.deepEqual(draws(["a"], 0), expected);
  for (const other of [draws(["b"], 0), draws(["a"], 0, 2), draws(["a"], 0, 1, "lime")]) {
    assert.notDeepEqual(other, expected);
  }
  // Padding draws too, whatever for.
  assert.equal(draws(["a"], 5).length, 2);
});

Deno.test("inputs are refused where only activations are stored", () => {
  const context = createContext(classifierWith({}), forward, "logit", { seed: 0, keys: [] });
  assert.throws(() => context.input, /only activations are stored/);
});

Deno.test("a method's maps lie on the layer's cells, or on the input's pixels", () => {
  const placement = { x: { scale: 0.1, offset: 0.2 }, y: { scale: 0.3, offset: 0.4 } };
  const classifier = classifierWith({
    layer: { name: "maps", channels: 5, height: 4, width: 3 },
    placement,
    inputShape: [3, 40, 30],
  });
  const method = (grid?: "layer" | "input") => ({ ...(grid ? { grid } : {}) }) as Method;
  assert.deepEqual(gridOf(method(), classifier), { height: 4, width: 3, placement });
  assert.deepEqual(gridOf(method("layer"), classifier), { height: 4, width: 3, placement });
  assert.deepEqual(gridOf(method("input"), classifier), {
    height: 40,
    width: 30,
    placement: { x: { scale: 1, offset: -0.5 }, y: { scale: 1, offset: -0.5 } },
  });
});

Deno.test("a target that a model cannot give is refused with the reason", () => {
  const card = { name: "net" } as Classifier["card"];
  const without = classifierWith({ card, hasLogits: false, classes: ["a", "b"] });
  const single = classifierWith({ card, hasLogits: true, classes: ["a"] });
  assert.match(targetUnsupported(without, "logit")!.reason, /net yields only probabilities/);
  assert.match(targetUnsupported(without, "margin")!.reason, /needs logits/);
  assert.equal(targetUnsupported(without, "probability"), undefined);
  assert.match(targetUnsupported(single, "margin")!.reason, /needs two classes/);
  assert.equal(targetUnsupported(single, "logit"), undefined);
});

Deno.test("methods are found by name, group or all, each once, in their order", () => {
  const names = (asked: string[]) => findMethods(asked).map(({ method }) => method.name);
  assert.deepEqual(names(["cam", "grad-cam", "cam"]), ["grad-cam", "cam"]);
  assert.deepEqual(names(["all"]), METHODS.map(({ name }) => name));
  const controls = METHODS.filter(({ family }) => family === "control").map(({ name }) => name);
  assert.deepEqual(names(["control"]), controls);
  assert.deepEqual(names([...controls, "control"]), controls);
  const chosen = findMethods(["gradient", "cam"]);
  assert.deepEqual(
    chosen.filter(({ named }) => named).map(({ method }) => method.name),
    ["cam"],
  );
  assert.equal(new Set(METHODS.map(({ name }) => name)).size, METHODS.length);
  for (const wrong of [["nope"], ["grad-cam", "Cam"], []]) {
    assert.throws(() => findMethods(wrong), UsageError);
  }
});

Deno.test("an unknown method is told the nearest one, or that commas separate names", () => {
  const says = (name: string) => {
    try {
      findMethods([name]);
    } catch (error) {
      return /^Cannot use method "[^"]*": (.*?)(?: Methods: grad-cam, cam, .*; groups: .*)?$/
        .exec((error as Error).message)![1];
    }
    throw new Error(`${name} is a method`);
  };
  for (
    const [text, meant] of [
      ["gradcam", "grad-cam"],
      ["Grad-CAM", "grad-cam"],
      ["grad cam", "grad-cam"],
      ["GradCAM++", "grad-cam-plus-plus"],
      ["IntegratedGradients", "integrated-gradients"],
      ["smoth-grad", "smooth-grad"],
      ["smoth grad", "smooth-grad"],
      ["eigne-cam", "eigen-cam"],
      ["controls", "control"],
      ["cma", undefined],
      ["xy", undefined],
      ["nope", undefined],
      ["something else", undefined],
    ] as const
  ) {
    if (meant) assert.equal(says(text), `did you mean ${meant}?`, text);
    else assert.match(says(text), /^give one or more of grad-cam, cam, .*, or a group: /, text);
  }
  for (const text of ["grad-cam cam", "gradcam; cam"]) {
    assert.equal(says(text), "names are separated by commas: did you mean grad-cam,cam?");
  }
});
