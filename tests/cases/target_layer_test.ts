/** Which layer is explained when none is named: the last map whose cells reach the scores, and what is said where later maps are left out. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { readNpy, writeNpy } from "../../src/base/npy.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { encodePng } from "../../src/image/render.ts";
import { emocam } from "../commands/cli.ts";
import { assertExcludes, assertIncludes, assertLess } from "../assert_that.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";

const net = (name: string) => fileURLToPath(new URL(`target_layer/${name}.onnx`, import.meta.url));

interface Goldens {
  /** Grad-CAM of class 1, for two inputs. */
  readonly maps: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;
}

const goldens: Goldens = JSON.parse(
  Deno.readTextFileSync(new URL("target_layer/grad-cam.json", import.meta.url)),
);

/** The input that the goldens were made with; how is written in their file. */
function inputs(): Tensor {
  const values = new Float32Array(2 * 3 * 32 * 32);
  for (let at = 0, n = 0; n < 2; n++) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < 32; i++) {
        for (let j = 0; j < 32; j++) {
          values[at++] = Math.sin(.7 * n + 1.3 * c + .21 * i + .37 * j + .013 * i * j);
        }
      }
    }
  }
  return floats([2, 3, 32, 32], values);
}

/** Grad-CAM of class 1 at a classifier's default layer, and what is printed on the way. */
async function explained(name: string, ...args: string[]): Promise<{ map: Tensor; err: string }> {
  return await withFolder(async (folder) => {
    const input = join(folder, "x.npy"), maps = join(folder, "maps");
    await Deno.writeFile(input, writeNpy(inputs()));
    const chosen = ["--methods", "grad-cam", "--class", "1", "--backend", "native"];
    const { status, err } = await emocam(
      "explain",
      input,
      ...["--classifier", net(name), "--maps", maps],
      ...chosen,
      ...args,
    );
    assert.equal(status, 0, err);
    return { map: readNpy(await Deno.readFile(join(maps, "grad-cam.npy"))) as Tensor, err };
  });
}

function assertGolden(map: Tensor, name: string): void {
  const { values } = goldens.maps[name];
  assert.equal(map.data.length, values.length, name);
  const range = Math.max(...values) - Math.min(...values);
  const error = Math.max(...values.map((value, i) => Math.abs(map.data[i] - value)));
  assertLess(error / range, 1e-5, name);
}

const unplaced =
  /the receptive fields of layer \S+ cannot be followed; its cells are spread evenly/;

Deno.test("the last map is explained after attention, windows, pixel shuffling and computed padding: Grad-CAM is PyTorch's there", async () => {
  for (const name of ["hybrid", "unshuffle", "windows", "token-mlp"]) {
    const { map, err } = await explained(name);
    assertGolden(map, name);
    assert.match(err, unplaced, name);
    assertExcludes(err, "earlier layer", name);
    assert.equal(err.includes("not known whether its rows"), name === "token-mlp", name);
  }
  for (const name of ["tf-same", "convnext"]) {
    const { map, err } = await explained(name);
    assertGolden(map, name);
    assert.doesNotMatch(err, unplaced);
    assertExcludes(err, "earlier layer");
  }
});

Deno.test("a layer whose receptive field cannot be followed can be named, and is placed evenly by either rule", async () => {
  for (const placement of ["receptive-field", "half-pixel"]) {
    const args = ["--layer", "/Relu_1_output_0", "--placement", placement];
    const { map, err } = await explained("hybrid", ...args);
    assertGolden(map, "hybrid");
    assert.match(err, unplaced);
  }
  const inspected = await emocam("models", "inspect", net("hybrid"), "--json");
  const { layers } = JSON.parse(inspected.out) as {
    layers: { name: string; receptiveField: unknown }[];
  };
  const unfollowed = layers.filter(({ receptiveField }) => receptiveField === null);
  assert.equal(unfollowed.length, 3);
  for (const { name } of unfollowed) {
    assertIncludes(
      (await explained("hybrid", "--layer", name)).err,
      `layer ${name} cannot be followed`,
    );
  }
});

/** Every net with later tokens or channels last, its default layer and the later tensor that is named. */
const CUT_EARLY = [
  {
    name: "swin",
    layer: "/c/Conv_output_0",
    later: "/n2/LayerNormalization_output_0 [N, 4, 4, 8]",
    holds: "is channels-last",
  },
  {
    name: "vit",
    layer: "/p/Conv_output_0",
    later: "/b/n/LayerNormalization_output_0 [N, 17, 8]",
    holds: "holds tokens",
  },
  {
    name: "vit-mean",
    layer: "/p/Conv_output_0",
    later: "/n/LayerNormalization_output_0 [N, 16, 8]",
    holds: "holds tokens",
  },
];

Deno.test("where tokens or channels-last maps come later, inspect, import and explain say that the map is of an earlier layer", async () => {
  for (const { name, layer, later, holds } of CUT_EARLY) {
    const notice =
      `maps are of an earlier layer, ${layer}: it is the last of the form [N, C, h, w], and after it comes ${later}, which ${holds}; maps of such tensors cannot be made yet`;
    const inspected = await emocam("models", "inspect", net(name));
    assertIncludes(inspected.out, `note: ${notice}`);
    assertIncludes((await explained(name)).err, `note: ${notice}`);
    const facts = JSON.parse((await emocam("models", "inspect", net(name), "--json")).out);
    assert.deepEqual([facts.defaultLayer, facts.notice], [layer, notice]);
    await withFolder(async (folder) => {
      const into = join(folder, "models");
      const made = await emocam("models", "import", "onnx", net(name), "--into", into);
      assert.equal(made.status, 0, made.err);
      assertIncludes(made.err, `note: ${notice}`);
      // The card names the layer now; that it is an early one is still said.
      const card = join(into, `${name}.json`);
      assertIncludes((await emocam("models", "inspect", card)).out, `note: ${notice}`);
    });
  }
  const plain = await emocam("models", "inspect", net("convnext"));
  assertExcludes(plain.out, "note:");
});

Deno.test("an analysis keeps the notice in its manifest and report", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    await Deno.mkdir(pictures);
    const data = new Uint8Array(32 * 32 * 4).map((_, i) => i % 4 === 3 ? 255 : (i * 7) % 256);
    const bytes = await encodePng({ width: 32, height: 32, data });
    await Deno.writeFile(join(pictures, "a.png"), bytes);
    const boxes = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      boxes,
      "image,label,confidence,x0,y0,x1,y1\na.png,thing,1,4,4,20,20\n",
    );
    const out = join(folder, "run");
    const { status, err } = await emocam(
      "analyze",
      pictures,
      ...["--classifier", net("swin"), "--detector", boxes, "--out", out, "--backend", "native"],
    );
    assert.equal(status, 0, err);
    const [{ layer, later }] = CUT_EARLY;
    const notice =
      `maps are of an earlier layer, ${layer}: it is the last of the form [N, C, h, w], and after it comes ${later}`;
    assertIncludes(err, `note: ${notice}`);
    const manifest = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    assert.ok(manifest.notices.some((text: string) => text.startsWith(notice)), manifest.notices);
    assertIncludes(
      await Deno.readTextFile(join(out, "report.html")),
      "maps are of an earlier layer",
    );
  });
});

Deno.test("what has four axes only is refused as a layer with the reason", async () => {
  const refusal = async (name: string, layer: string) => {
    const args = ["--classifier", net(name), "--layer", layer, "--backend", "native"];
    const { status, err } = await emocam("explain", net(name), ...args);
    assert.equal(status, 2, err);
    return err;
  };
  assert.match(
    await refusal("swin", "/n2/LayerNormalization_output_0"),
    /is not \[N, C, h, w\]: its channels are last/,
  );
  assert.match(
    await refusal("hybrid", "/a/Softmax_output_0"),
    /one of its axes goes over all cells/,
  );
  assert.match(await refusal("windows", "/a/Softmax_output_0"), /its first axis is not the batch/);
  assert.match(await refusal("vit", "/a/Softmax_output_0"), /one of its axes goes over all cells/);
});

Deno.test("a file that leaves the size of its input open is told so instead of an empty list of layers", async () => {
  const b = netOn(["N", 3, "H", "W"]);
  const conv = b.op("Conv", ["x", b.initializer(noise([4, 3, 3, 3]))]);
  put(b, "Flatten", [b.op("GlobalAveragePool", [conv])], {}, "logits");
  await withFolder(async (folder) => {
    const file = join(folder, "open.onnx");
    await Deno.writeFile(file, writeModel(output(b, "logits")));
    const { status, out } = await emocam("models", "inspect", file);
    assert.equal(status, 0);
    assertIncludes(
      out,
      "note: no layers can be listed: the file leaves the size of its input open",
    );
  });
});
