import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { createRng } from "../../../src/base/rng.ts";
import { readMatlabFolder, readMeanImage } from "../../../src/importers/emonet/matlab_folder.ts";
import { GOLDEN, hashOf, unpack } from "./cases.ts";

const TINY = fileURLToPath(new URL("tiny/", GOLDEN));
const REFERENCE = JSON.parse(Deno.readTextFileSync(new URL("tiny.json", GOLDEN)));

/** Runs with a copy of the small export, which may be changed. */
async function withCopy(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for await (const { name } of Deno.readDir(TINY)) {
      await Deno.copyFile(`${TINY}/${name}`, `${folder}/${name}`);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a MATLAB export gives the tensors that the published reader gives", async () => {
  const tensors = await readMatlabFolder(TINY);
  assert.equal(tensors.size, 16);
  for (const [key, { shape, data }] of tensors) {
    assert.deepEqual(shape, REFERENCE.shapes[key], key);
    assert.equal(hashOf(data), REFERENCE.sha256[key], key);
  }
});

Deno.test("an export may be unpacked", async () => {
  await withCopy(async (folder) => {
    for (const name of ["conv2.weights.txt", "fc3.bias.txt"]) {
      await Deno.writeFile(
        `${folder}/${name}`,
        unpack(await Deno.readFile(`${folder}/${name}.bz2`)),
      );
      await Deno.remove(`${folder}/${name}.bz2`);
    }
    for (const [key, { data }] of await readMatlabFolder(folder)) {
      assert.equal(hashOf(data), REFERENCE.sha256[key], key);
    }
  });
});

Deno.test("an export whose files do not fit together is refused", async () => {
  await withCopy(async (folder) => {
    // Each file in turn in the place of another.
    for (
      const [file, from, pattern] of [
        [
          "conv2.bias.txt.bz2",
          "conv4.bias.txt.bz2",
          /conv2\.weights\.txt\.bz2: line 1 has 240 values; it must hold 5 lines of 280/,
        ],
        [
          "conv4.bias.txt.bz2",
          "fc2.bias.txt.bz2",
          /conv4\.bias\.txt\.bz2: there is more after line 1/,
        ],
        [
          "fc2.bias.txt.bz2",
          "conv2.bias.txt.bz2",
          /fc2\.bias\.txt\.bz2: line 1 has more than 1 values/,
        ],
        ["fc3.bias.txt.bz2", "fc2.bias.txt.bz2", /fc3\.bias has shape \[9\], expected \[20\]/],
        [
          "conv3.weights.txt.bz2",
          "conv4.weights.txt.bz2",
          /conv3\.weights\.txt\.bz2: line 1 has 210 values; it must hold 3 lines of 360/,
        ],
        [
          "fc1.weights.txt.bz2",
          "fc2.weights.txt.bz2",
          /fc1\.weights\.txt\.bz2: line 1 has 11 values; it must hold 11 lines of 216/,
        ],
      ] as const
    ) {
      await Deno.copyFile(`${TINY}/${from}`, `${folder}/${file}`);
      await assert.rejects(readMatlabFolder(folder), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.match(error.message, pattern);
        return true;
      });
      await Deno.copyFile(`${TINY}/${file}`, `${folder}/${file}`);
    }
    // Seven outputs do not form two groups.
    await Deno.writeTextFile(`${folder}/conv2.bias.txt`, "1,2,3,4,5,6,7\n");
    await Deno.remove(`${folder}/conv2.bias.txt.bz2`);
    await assert.rejects(readMatlabFolder(folder), /conv2 has 8 inputs and 7 outputs.*2 groups/);
    await Deno.remove(`${folder}/conv2.bias.txt`);
    await assert.rejects(readMatlabFolder(folder), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /conv2\.bias\.txt\.bz2 is missing/);
      return true;
    });
  });
});

Deno.test("a bias of zeros without number does not make memory be asked for", async () => {
  await withCopy(async (folder) => {
    await Deno.remove(`${folder}/conv2.bias.txt.bz2`);
    await Deno.writeTextFile(`${folder}/conv2.bias.txt`, "0,".repeat(40_000) + "0\n");
    await assert.rejects(readMatlabFolder(folder), /conv2\.bias\.txt: line 1 has more than 32768/);
    for (const layer of ["conv3", "conv4"]) {
      await Deno.remove(`${folder}/${layer}.bias.txt.bz2`);
      await Deno.writeTextFile(`${folder}/${layer}.bias.txt`, "0,".repeat(30_000 - 1) + "0\n");
    }
    await Deno.writeTextFile(`${folder}/conv2.bias.txt`, "0,0\n");
    await assert.rejects(readMatlabFolder(folder), /weights, more than an ONNX file can hold/);
  });
});

Deno.test("a spoiled file of an export is refused in one line, or changes nothing but its own tensor", async () => {
  await withCopy(async (folder) => {
    const rng = createRng(8);
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    let refused = 0;
    for (let i = 0; i < 80; i++) {
      const name = names[rng.below(names.length)];
      const packed = i % 2 === 0;
      const bytes = await Deno.readFile(`${TINY}/${name}`);
      const target = `${folder}/${packed ? name : name.replace(".bz2", "")}`;
      const changed = packed ? bytes : unpack(bytes);
      changed[rng.below(changed.length)] = packed ? rng.below(256) : 32 + rng.below(96);
      if (!packed) await Deno.remove(`${folder}/${name}`);
      const cut = rng.below(4) === 0 ? rng.below(changed.length) : changed.length;
      await Deno.writeFile(target, changed.subarray(0, cut));
      try {
        const [layer, kind] = name.split(".");
        for (const [key, { data }] of await readMatlabFolder(folder)) {
          if (key === `${layer}.${kind === "weights" ? "weight" : "bias"}` && !packed) continue;
          assert.equal(hashOf(data), REFERENCE.sha256[key], key);
        }
      } catch (error) {
        assert.ok(error instanceof ModelError, `${name}: ${error}`);
        assert.match(error.message, /^Cannot [^\n]+$/);
        refused++;
      }
      if (!packed) await Deno.remove(target);
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    assert.ok(refused > 50, `${refused} refused`);
  });
});

Deno.test("a mean image is read in rows of three planes", async () => {
  const path = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    const rng = createRng(3);
    const planes = Float32Array.from({ length: 3 * 227 * 227 }, () => rng.uniform() * 255);
    const at = (c: number, y: number, x: number) => planes[(c * 227 + y) * 227 + x];
    const rows: string[] = [];
    for (let y = 0; y < 227; y++) {
      const row: number[] = [];
      for (let c = 0; c < 3; c++) for (let x = 0; x < 227; x++) row.push(at(c, y, x));
      rows.push(row.join(","));
    }
    await Deno.writeTextFile(path, rows.join("\n") + "\n");
    const mean = readMeanImage(path);
    assert.deepEqual(mean.shape, [3, 227, 227]);
    assert.deepEqual(mean.data, planes);
    await Deno.writeTextFile(path, rows.slice(1).join("\n") + "\n");
    assert.throws(() => readMeanImage(path), /it has 226 lines/);
  } finally {
    await Deno.remove(path);
  }
  assert.throws(() => readMeanImage(path), UsageError);
});
