import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { parseCfg } from "../../../src/importers/darknet/cfg.ts";
import { readNetwork } from "../../../src/importers/darknet/network.ts";
import { readWeights } from "../../../src/importers/darknet/weights.ts";
import { withFolder } from "./files.ts";

const { layers } = readNetwork(
  parseCfg(
    "[net]\nwidth=4\nheight=4\nchannels=3\n[conv]\nfilters=2\nbatch_normalize=1\n[conv]\nfilters=6\n" +
      "[yolo]\nnum=1\nanchors=1,1\nclasses=1",
    "made.cfg",
  ),
  "made.cfg",
);
/** 2·4 + 2·3 of the first layer, 6 + 6·2 of the second. */
const FLOATS = 32;

/** A file with the floats 1, 2, 3 … */
function file({ version = [0, 2, 0], seen = 8, floats = FLOATS, cut = 0 } = {}): Uint8Array {
  const bytes = new Uint8Array(12 + seen + 4 * floats);
  const view = new DataView(bytes.buffer);
  version.forEach((part, i) => view.setInt32(4 * i, part, true));
  view.setUint32(12, 77, true);
  for (let i = 0; i < floats; i++) view.setFloat32(12 + seen + 4 * i, i + 1, true);
  return bytes.subarray(0, bytes.length - cut);
}

function read(bytes: Uint8Array) {
  return withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/made.weights`, bytes);
    return await readWeights(`${folder}/made.weights`, layers);
  });
}

async function refused(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(read(bytes), (error: Error) => {
    assert(error instanceof ModelError, `${error.stack}`);
    assert.match(error.message, message);
    assert.match(error.message, /^Cannot use weights made\.weights: [^\n]+$/);
    return true;
  });
}

Deno.test("floats are read in Darknet's order: biases, scales, means, variances, weights", async () => {
  const { header, layers: found } = await read(file());
  assert.deepEqual(header, { major: 0, minor: 2, revision: 0, seen: 77n, bytes: 20 });
  const [first, second] = [found.get(0)!, found.get(1)!];
  assert.deepEqual([...first.biases], [1, 2]);
  assert.deepEqual([...first.norm!.scales], [3, 4]);
  assert.deepEqual([...first.norm!.means], [5, 6]);
  assert.deepEqual([...first.norm!.variances], [7, 8]);
  assert.deepEqual([...first.weights], [9, 10, 11, 12, 13, 14]);
  assert.equal(second.norm, undefined);
  assert.deepEqual([...second.biases], [15, 16, 17, 18, 19, 20]);
  assert.deepEqual([...second.weights], Array.from({ length: 12 }, (_, i) => 21 + i));
});

Deno.test("the count of images has 8 bytes from version 0.2 to 999.999, else 4", async () => {
  for (
    const [version, seen] of [
      [[0, 1, 0], 4],
      [[0, 2, 5], 8],
      [[1, 0, 0], 8],
      [[999, 999, 0], 8],
      [[1000, 0, 0], 4],
      [[0, 1000, 0], 4],
      [[1001, 2, 0], 4],
    ] as const
  ) {
    const { header, layers: found } = await read(file({ version: [...version], seen }));
    assert.deepEqual([header.bytes, header.seen], [12 + seen, 77n], version.join("."));
    assert.deepEqual([...found.get(0)!.biases], [1, 2]);
    await refused(file({ version: [...version], seen: 12 - seen }), /it (has|ends)/);
  }
});

Deno.test("a file that is short is refused by layer, needed and present floats", async () => {
  await refused(
    file({ floats: FLOATS - 1 }),
    /ends in layer 1 \[convolutional\] \(line 8 of the cfg\), which needs 18 floats and has 17; the cfg needs 32 in all, the file has 31/,
  );
  await refused(file({ floats: 5 }), /layer 0 \[convolutional\].* needs 14 floats and has 5/);
  await refused(file({ cut: 3 }), /has 17 and 1 bytes that are not a whole float32/);
});

Deno.test("a file that is long is refused, with the surplus", async () => {
  await refused(file({ floats: FLOATS + 3 }), /has 35 floats, the cfg needs 32: 12 bytes too many/);
  await refused(
    new Uint8Array([...file(), 1]),
    /1 bytes that are not a whole float32, .*: 1 bytes too many/,
  );
});

Deno.test("a broken header is refused", async () => {
  for (const length of [0, 11, 12, 19]) {
    await refused(file().subarray(0, length), /do not hold the header/);
  }
  await refused(file({ version: [-1, 2, 0] }), /version -1\.2/);
});

Deno.test("values that are not numbers, and variances below 0, are refused by their place", async () => {
  const at = (index: number, value: number) => {
    const bytes = file();
    new DataView(bytes.buffer).setFloat32(20 + 4 * index, value, true);
    return bytes;
  };
  await refused(at(1, NaN), /layer 0 \[convolutional\] has NaN among its biases \(at 1\)/);
  await refused(
    at(31, -Infinity),
    /layer 1 \[convolutional\] has -Infinity among its weights \(at 11\)/,
  );
  await refused(
    at(7, -0.5),
    /layer 0 \[convolutional\] has the negative variance -0\.5 at filter 1/,
  );
  assert.equal((await read(at(7, 0))).layers.get(0)!.norm!.variances[1], 0);
});

Deno.test("a missing file, and a folder, are a wrong use", async () => {
  await withFolder(async (folder) => {
    for (const path of [folder, `${folder}/none.weights`]) {
      await assert.rejects(readWeights(path, layers), (error: Error) => {
        assert(error instanceof UsageError, `${error.stack}`);
        assert.match(error.message, /^Cannot read weights [^\n]+; give a Darknet \.weights file$/);
        return true;
      });
    }
  });
});

Deno.test("a cfg of huge layers is refused by the file's length, before anything is allocated", async () => {
  const huge = readNetwork(
    parseCfg(
      "[net]\nwidth=1\nheight=1\nchannels=3\n[conv]\nfilters=1000000000\n[conv]\nfilters=6\n" +
        "[yolo]\nnum=1\nanchors=1,1\nclasses=1",
      "made.cfg",
    ),
    "made.cfg",
  );
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/made.weights`, file());
    await assert.rejects(
      readWeights(`${folder}/made.weights`, huge.layers),
      /ends in layer 0 \[convolutional\].*needs 4000000000 floats and has 32/,
    );
  });
});
