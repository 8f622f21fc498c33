/** EmoNet's importers against the full reference set: MATLAB texts, bzip2 files, state dicts of the small network, and bad ones. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ModelError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import { EMONET_CLASSES, emonetCard } from "../../src/importers/emonet/card.ts";
import { emonetGraph } from "../../src/importers/emonet/graph.ts";
import {
  readBias,
  readMatlabFolder,
  readMeanImage,
  readWeights,
} from "../../src/importers/emonet/matlab_folder.ts";
import { openText, readMatrix } from "../../src/importers/emonet/matlab_text.ts";
import { readStateTensors, type StoredTensor } from "../../src/importers/emonet/state_dict.ts";
import { readStateDict } from "../../src/importers/torch/mod.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import {
  type Bzip2Case,
  checkBzip2,
  checkText,
  hashOf,
  type TextCase,
} from "../importers/emonet/cases.ts";
import { goldenTest } from "../shared_goldens.ts";

async function json(goldens: URL, path: string) {
  return JSON.parse(await Deno.readTextFile(new URL(`emonet/${path}`, goldens)));
}

function pathOf(goldens: URL, path: string): string {
  return fileURLToPath(new URL(`emonet/${path}`, goldens));
}

goldenTest("all 27 bzip2 files are read or refused as they should be", async (goldens) => {
  const { bz2 } = await json(goldens, "matlab/index.json");
  const seen = { accepted: 0, refused: 0 };
  for (const one of bz2 as Bzip2Case[]) {
    const path = pathOf(goldens, `matlab/${one.file}`);
    if (!one.file.includes("bomb")) {
      seen[checkBzip2(one, await Deno.readFile(path))]++;
      continue;
    }
    // Sound as bzip2, but one line: refused where a matrix is read, whatever its size.
    const size = { lines: 4096, values: 9216 };
    assert.throws(() => [...readMatrix(openText(path), one.file, size)], ModelError);
    seen.refused++;
  }
  assert.deepEqual(seen, { accepted: 12, refused: 15 });
});

goldenTest("all 48 texts are read or refused as they should be", async (goldens) => {
  const { text } = await json(goldens, "matlab/index.json");
  const seen = { accepted: 0, refused: 0 };
  for (const one of text as TextCase[]) {
    seen[checkText(one, await Deno.readFile(pathOf(goldens, `matlab/${one.file}`)))]++;
  }
  assert.deepEqual(seen, { accepted: 10, refused: 38 });
});

goldenTest("the published sizes as text give the published bytes", async (goldens) => {
  const { full_parts: parts } = await json(goldens, "matlab/index.json");
  const entries = Object.entries(
    parts as Record<string, { tensor: string; shape: number[]; sha256_float32_le: string }>,
  );
  for (const [file, { tensor, shape, sha256_float32_le: hash }] of entries) {
    const chunks = openText(pathOf(goldens, `matlab/${file}`));
    const data = tensor.endsWith("weight")
      ? readWeights(chunks, file, shape).data
      : readBias(chunks, file, tensor.startsWith("conv"));
    assert.equal(hashOf(data), hash, file);
  }
  assert.equal(entries.length, 10);
  const mean = readMeanImage(pathOf(goldens, "matlab/img_mean.txt"));
  const expected = await json(goldens, "matlab/img_mean.expected.json");
  assert.equal(hashOf(mean.data), expected.sha256_float32_le_chw);
});

goldenTest("every form of the small network gives one ONNX file", async (goldens) => {
  const modelOf = (tensors: ReadonlyMap<string, Tensor>) =>
    sha256(writeModel(emonetGraph(tensors)));
  const tiny = await readMatlabFolder(pathOf(goldens, "matlab/tiny"));
  const expected = modelOf(tiny);
  const { files } = await json(goldens, "pth/index.json");
  const seen = { same: 0, other: 0, refused: 0 };
  for (const { file, tensors, strip_prefix: prefix } of files) {
    const state = await readStateDict(pathOf(goldens, file));
    const whole = [...tiny.keys()].every((key) => state.has(key));
    if (!whole) {
      assert.throws(() => readStateTensors(state, file), /Cannot import EmoNet/);
      seen.refused++;
      continue;
    }
    // Weights stored with another precision are others.
    const same = (tensors as { path: string[]; sha256_float32_le: string }[]).every(
      ({ path, sha256_float32_le: hash }) => {
        const key = path.at(-1)!.slice(prefix.length);
        return path.includes("optimizer") || !tiny.has(key) || hash === hashOf(tiny.get(key)!.data);
      },
    );
    assert.equal(modelOf(readStateTensors(state, file)) === expected, same, file);
    seen[same ? "same" : "other"]++;
  }
  assert.deepEqual(seen, { same: 17, other: 3, refused: 14 });
});

goldenTest("state dicts that are not EmoNet's are refused by name", async (goldens) => {
  const { cases } = await json(goldens, "pth_bad/index.json");
  const tiny = await readMatlabFolder(pathOf(goldens, "matlab/tiny"));
  let checked = 0;
  for (const { file, stage, reason } of cases) {
    if (stage !== "model") continue;
    checked++;
    await assert.rejects(async () => {
      const state: Map<string, StoredTensor> = new Map(
        await readStateDict(pathOf(goldens, `pth_bad/${file}`)),
      );
      // These files hold fc1 … fc3 alone: with the small network's convolutions only what is meant is wrong.
      if (/^model_(?!torchvision)/.test(file)) {
        for (const [key, { shape, data }] of tiny) {
          if (key.startsWith("conv")) state.set(key, { dtype: "float32", shape, read: () => data });
        }
      }
      readStateTensors(state, file);
    }, (error) => {
      assert.ok(error instanceof ModelError, `${file}: ${error}`);
      assert.match(error.message, /^Cannot [^\n]+$/);
      // The reason begins with what is wrong, then says what the file is.
      const [key] = /fc\d(\.\w+)?/.exec(reason.split(" (")[0]) ?? [];
      assert.ok(!key || error.message.includes(key), `${file}: ${error.message}`);
      return true;
    });
  }
  assert.equal(checked, 18);
});

goldenTest("the card has the published classes and heads", async (goldens) => {
  const { classes, valence, arousal } = await json(goldens, "heads.json");
  assert.deepEqual(EMONET_CLASSES, classes);
  assert.deepEqual(emonetCard("", "").heads, { valence, arousal });
});
