import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { readNpy, writeNpy } from "../../src/base/npy.ts";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { emocam } from "./cli.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast, assertAtMost, assertMore } from "../assert_that.ts";

const PHOTO = (name: string) =>
  fileURLToPath(new URL(`../../models/photos/${name}`, import.meta.url));
const GOLDEN = (name: string) => fileURLToPath(new URL(`../golden/onnx/${name}`, import.meta.url));
/** A small network (20 classes, 3×56×72) as other tools export it, without a card. */
const MOBILE = ["--classifier", GOLDEN("mobile.onnx"), "--layer", "last_act"];

interface Answer {
  classifier: string;
  sha256: string;
  layer: string;
  target: string;
  samples: string;
  results: {
    path: string;
    sample: number;
    region?: { x0: number; y0: number; x1: number; y1: number };
    predicted: string;
    scores: { class: string; probability: number; logit: number }[];
    maps: {
      method: string;
      class: string;
      overlay?: string;
      boxes: { label: string; importance: number | null; share: number }[];
    }[];
  }[];
}

async function explain(...args: string[]): Promise<{ answer: Answer; err: string }> {
  const { status, out, err } = await emocam("explain", ...args, "--json");
  assert.equal(status, 0, err);
  return { answer: JSON.parse(out), err };
}

async function readMaps(folder: string, name: string): Promise<Tensor> {
  const value = readNpy(await Deno.readFile(join(folder, `${name}.npy`)));
  assert.equal(value.type, "float32");
  return value as Tensor;
}

Deno.test("explain gives predictions, importances and overlays of photographs, as analyze counts them", async () => {
  await withFolder(async (folder) => {
    const photos = [PHOTO("group1.jpg"), PHOTO("hopper.jpg")];
    const args = ["--methods", "grad-cam,cam"];
    const { answer, err } = await explain(...photos, ...args, "--out", folder);
    assert.equal(err, "");
    assert.deepEqual(
      [answer.classifier, answer.layer, answer.target, answer.samples],
      ["mini-xception", "maps", "logit", "faces"],
    );
    assert.equal(answer.results.length, 4);
    const overlays = answer.results.flatMap(({ maps }) => maps.map(({ overlay }) => overlay!));
    assert.equal(new Set(overlays).size, 8);
    for (const file of overlays) {
      const { format, width, height } = await sharp(file).metadata();
      assert.equal(format, "png");
      assert.ok(width >= 480, `${width}×${height}`);
      assert.ok(width < 1200, `${width}×${height}`);
      assert.ok(height >= 480, `${width}×${height}`);
      assert.ok(height < 1500, `${width}×${height}`);
    }
    for (const { scores, predicted } of answer.results) {
      const sum = scores.reduce((total, { probability }) => total + probability, 0);
      assertClose(sum, 1, 1e-5);
      const best = scores.reduce((a, b) => b.probability > a.probability ? b : a);
      assert.equal(best.class, predicted);
    }

    const out = join(folder, "run");
    const run = await emocam("analyze", ...photos, ...args, "--out", out);
    assert.equal(run.status, 0, run.err);
    const table: Record<string, string>[] = parse(
      await Deno.readTextFile(join(out, "boxes.csv")),
      { columns: true },
    );
    const explained = answer.results.flatMap(({ path, sample, maps }) =>
      maps.flatMap(({ method, class: name, boxes }) =>
        boxes.map(({ label, importance, share }) =>
          [path, sample, method, name, label, importance, share].join()
        )
      )
    );
    assert.deepEqual(
      explained,
      table.map(({ image, sample, method, class: name, label, importance, share }) =>
        [image, sample, method, name, label, importance, share].join()
      ),
    );
  });
});

Deno.test("a missing picture among good ones has its line, and the JSON stays whole", async () => {
  await withFolder(async (folder) => {
    const list = join(folder, "list.csv");
    await Deno.writeTextFile(list, `path\n${PHOTO("hopper.jpg")}\nmissing.jpg\n`);
    const { answer, err } = await explain(list, "--out", folder);
    assert.equal(err, "failed: missing.jpg: Cannot read the image: there is no such file\n");
    assert.equal(answer.results.length, 1);
  });
});

Deno.test("what is printed for people names the face, the best classes and the boxes by importance", async () => {
  await withFolder(async (folder) => {
    const { status, out } = await emocam("explain", PHOTO("hopper.jpg"), "--out", folder);
    assert.equal(status, 0);
    const lines = out.split("\n");
    assert.match(lines[0], /hopper\.jpg, face 1: \w+ 0\.\d{3}, \w+ 0\.\d{3}, \w+ 0\.\d{3}$/);
    assert.match(lines[1], /^ {2}grad-cam, \w+ {2}.*\.png$/);
    const importances = lines.slice(3).map((line) => / (0\.\d{3}) /.exec(line)?.[1])
      .filter((text) => text !== undefined).map(Number);
    assertAtLeast(importances.length, 8);
    assert.deepEqual(importances, importances.toSorted((a, b) => b - a));
  });
});

Deno.test("ready tensors: shapes of the maps, one row a sample over all files, final maps within 0 and 1", async () => {
  await withFolder(async (folder) => {
    const inputs = readNpy(await Deno.readFile(GOLDEN("mobile_inputs.npy"))) as Tensor;
    const [first, second] = [join(folder, "first.npy"), join(folder, "second.npy")];
    await Deno.writeFile(first, writeNpy(rows(inputs, 0, 1)));
    await Deno.writeFile(second, writeNpy(inputs));
    const { answer, err } = await explain(
      first,
      second,
      ...MOBILE,
      "--class",
      "all",
      "--maps",
      folder,
    );
    assert.match(err, /^note: mobile\.onnx has no card: classes are numbered/m);
    assert.deepEqual(answer.results.map(({ path, sample }) => [path, sample]), [
      [first, 0],
      [second, 0],
      [second, 1],
    ]);
    const logits = readNpy(await Deno.readFile(GOLDEN("mobile_logits.npy"))) as Tensor;
    answer.results.slice(1).forEach(({ scores }, row) =>
      scores.forEach(({ logit }, k) =>
        assertClose(logit, logits.data[row * scores.length + k], 1e-4)
      )
    );
    const raw = await readMaps(folder, "grad-cam"),
      final = await readMaps(folder, "grad-cam.final");
    assert.deepEqual([raw.shape, final.shape], [[3, 20, 7, 9], [3, 20, 56, 72]]);
    const size = 20 * 7 * 9;
    assert.deepEqual(raw.data.slice(0, size), raw.data.slice(size, 2 * size));
    for (let i = 0; i < 60; i++) {
      const map = final.data.subarray(i * 56 * 72, (i + 1) * 56 * 72);
      const low = Math.min(...map), high = Math.max(...map);
      // Scaled to 0..1, or 0 everywhere where no cell speaks for the class.
      assert.equal(low, 0);
      if (high !== 0) {
        assertMore(high, 0.9999);
        assertAtMost(high, 1);
      }
    }
    await explain(second, ...MOBILE, "--class", "4", "--maps", folder);
    const one = await readMaps(folder, "grad-cam");
    assert.deepEqual(one.shape, [2, 7, 9]);
    assert.deepEqual(one.data.slice(0, 63), raw.data.slice(size + 4 * 63, size + 5 * 63));
  });
});

Deno.test("the map of the margin is the difference of two logits' maps, and that of a probability their mixture", async () => {
  await withFolder(async (folder) => {
    const maps = async (target: string) => {
      const args = [GOLDEN("mobile_inputs.npy"), ...MOBILE, "--class", "all", "--target", target];
      const { answer } = await explain(...args, "--maps", folder);
      return { answer, ...await readMaps(folder, "grad-cam") };
    };
    const logit = await maps("logit"),
      margin = await maps("margin"),
      share = await maps("probability");
    const cells = 7 * 9;
    const tolerance = 2e-6 * logit.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    logit.answer.results.forEach(({ scores }, row) => {
      scores.forEach(({ probability }, k) => {
        const others = scores.map(({ logit }, j) => j === k ? -Infinity : logit);
        const rival = others.indexOf(Math.max(...others));
        const at = (j: number, cell: number) => logit.data[(row * 20 + j) * cells + cell];
        for (let cell = 0; cell < cells; cell++) {
          const own = (row * 20 + k) * cells + cell;
          assertClose(margin.data[own], at(k, cell) - at(rival, cell), tolerance);
          // dp_k = p_k (dz_k − Σ_j p_j dz_j)
          const mean = scores.reduce((sum, score, j) => sum + score.probability * at(j, cell), 0);
          assertClose(share.data[own], probability * (at(k, cell) - mean), tolerance);
        }
      });
    });
  });
});

Deno.test("explain draws pictures that differ in their ending only into separate files", async () => {
  await withFolder(async (folder) => {
    await Deno.copyFile(PHOTO("hopper.jpg"), join(folder, "face.jpg"));
    await sharp(PHOTO("astronaut.jpg")).png().toFile(join(folder, "face.png"));
    const out = join(folder, "out");
    const { answer } = await explain(
      join(folder, "face.jpg"),
      join(folder, "face.png"),
      "--class",
      "happy",
      "--out",
      out,
    );
    const overlays = answer.results.flatMap(({ maps }) => maps.map(({ overlay }) => overlay!));
    assert.equal(overlays.length, 2);
    assert.equal(new Set(overlays).size, 2);
    const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
    assert.deepEqual([names.length, names[0]], [3, RECORD_FILE]);
  });
});

Deno.test("random numbers of a ready tensor depend on its values, not on its file's name or its row", async () => {
  await withFolder(async (folder) => {
    const inputs = readNpy(await Deno.readFile(GOLDEN("mobile_inputs.npy"))) as Tensor;
    const count = inputs.shape[0], size = inputs.data.length / count;
    const turned = new Float32Array(inputs.data.length);
    for (let row = 0; row < count; row++) {
      turned.set(inputs.data.subarray(row * size, (row + 1) * size), (count - 1 - row) * size);
    }
    const [first, second] = [join(folder, "first.npy"), join(folder, "second.npy")];
    await Deno.writeFile(first, writeNpy(inputs));
    await Deno.writeFile(second, writeNpy({ ...inputs, data: turned }));
    const methods = ["rise", "lime-cam", "random-map", "smooth-grad"];
    for (const [file, out] of [[first, "a"], [second, "b"]] as const) {
      await explain(file, ...MOBILE, "--methods", methods.join(), "--maps", join(folder, out));
    }
    for (const method of methods) {
      const [a, b] = [
        await readMaps(join(folder, "a"), method),
        await readMaps(join(folder, "b"), method),
      ];
      const cells = a.data.length / count;
      for (let row = 0; row < count; row++) {
        const other = count - 1 - row;
        assert.deepEqual(
          a.data.slice(row * cells, (row + 1) * cells),
          b.data.slice(other * cells, (other + 1) * cells),
          `${method}, row ${row}`,
        );
      }
    }
  });
});

Deno.test("images that fail, and those in which there is nothing to explain, are named in text and JSON", async () => {
  await withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Deno.writeTextFile(at("broken.jpg"), "no picture");
    const pixels = { create: { width: 90, height: 80, channels: 3 as const, background: "#777" } };
    await sharp(pixels).png().toFile(at("plain.png"));
    const args = [PHOTO("hopper.jpg"), at("broken.jpg"), at("plain.png"), "--out", at("out")];
    const { status, out, err } = await emocam("explain", ...args);
    assert.equal(status, 0, err);
    assert.match(out, /plain\.png: no face found$/m);
    assert.match(err, /^failed: .*broken\.jpg: Cannot decode/m);
    const { answer } = await explain(...args);
    const { failed, empty } = answer as unknown as { failed: { path: string }[]; empty: string[] };
    assert.deepEqual([failed.map(({ path }) => path), empty], [[at("broken.jpg")], [
      at("plain.png"),
    ]]);
    const alone = await emocam("explain", at("broken.jpg"), "--out", at("out"));
    assert.equal(alone.status, 1);
    assert.doesNotMatch(alone.out, /no face/);
  });
});

Deno.test("a tensor that cannot be used is refused in one line that says why", async () => {
  await withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Deno.writeFile(at("empty.npy"), writeNpy(floats([0, 3, 56, 72], [])));
    await Deno.writeFile(at("flat.npy"), writeNpy(floats([3, 2], new Float32Array(6))));
    const bytes = { type: "uint8" as const, shape: [1, 3, 1, 1], data: new Uint8Array(3) };
    await Deno.writeFile(at("bytes.npy"), writeNpy(bytes));
    const reasons = {
      "empty.npy": "its shape is [0,3,56,72]: it holds no input",
      "flat.npy": "its shape is [3,2], not [N, C, H, W]",
      "bytes.npy": "its values are uint8; save float32: array.astype('<f4')",
      "missing.npy": "there is no such file",
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const { status, err } = await emocam("explain", at(name), ...MOBILE);
      assert.deepEqual([status, err], [2, `Cannot use the input tensor ${at(name)}: ${reason}\n`]);
    }
  });
});

Deno.test("a ready tensor whose scores are not numbers has no predicted class, and that is said", async () => {
  await withFolder(async (folder) => {
    const inputs = readNpy(await Deno.readFile(GOLDEN("mobile_inputs.npy"))) as Tensor;
    const data = inputs.data.slice();
    data[7] = NaN;
    const file = join(folder, "bad.npy");
    await Deno.writeFile(file, writeNpy({ ...inputs, data }));
    const { answer, err } = await explain(file, ...MOBILE);
    assert.match(err, /^note: row 0 of .*bad\.npy: the probability of 0 is NaN$/m);
    assert.equal(answer.results[0].predicted, null);
    assert.equal(typeof answer.results[1].predicted, "string");
  });
});
