import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closeGpu, openGpu } from "../../src/gpu/device.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { emocam, matricesOf, parseMatrix, tablesOf } from "./cli.ts";
import { assertAtLeast, assertIncludes, assertLess } from "../assert_that.ts";

const gpu = await openGpu() !== undefined;
await closeGpu();

const IMAGES = ["astronaut.jpg", "hopper.jpg", "group1.jpg"]
  .map((name) => fileURLToPath(new URL(`../../models/photos/${name}`, import.meta.url)));

/** Largest difference between two tables' numbers; all other fields must be equal. */
function largestDifference(found: string, expected: string): number {
  const fields = (text: string) => text.trimEnd().split(/[\n,]/);
  const [a, b] = [fields(found), fields(expected)];
  assert.equal(a.length, b.length);
  let largest = 0;
  a.forEach((field, i) => {
    if (field === b[i]) return;
    const difference = Math.abs(Number(field) - Number(b[i]));
    assert.ok(!Number.isNaN(difference), `${field} against ${b[i]}`);
    largest = Math.max(largest, difference);
  });
  return largest;
}

async function compareWithNative(backend: string, images: readonly string[]) {
  await withFolder(async (folder) => {
    const run = async (name: string) => {
      const out = join(folder, name);
      const args = ["--backend", name, "--out", out, "--methods", "grad-cam,cam"];
      const { status, err } = await emocam("analyze", ...images, ...args);
      assert.equal(status, 0, err);
      assertIncludes(err, `backend ${name}`);
      return { tables: await tablesOf(out), matrices: await matricesOf(out) };
    };
    const native = await run("native"), other = await run(backend);
    assert.deepEqual(Object.keys(other.matrices), Object.keys(native.matrices));
    for (const [name, text] of Object.entries(native.matrices)) {
      if (name.includes("mean-importance")) {
        const [found, expected] = [other.matrices[name], text].map(parseMatrix);
        assertAtLeast(Object.keys(expected!).length, 5, text);
        assertLess(largestDifference(other.matrices[name], text), 1e-4, name);
        assert.deepEqual(Object.keys(found!), Object.keys(expected!));
      } else {
        assert.equal(other.matrices[name], text, name);
      }
    }
    // Corners of boxes are in pixels; all else is within 0..1.
    assertLess(largestDifference(other.tables["boxes.csv"], native.tables["boxes.csv"]), 1e-3);
    assertLess(
      largestDifference(other.tables["predictions.csv"], native.tables["predictions.csv"]),
      1e-4,
    );
  });
}

Deno.test("analyze gives the same matrices on wasm as on native: counts equal, importances within 1e-4", () =>
  compareWithNative("wasm", IMAGES));

Deno.test({
  name: gpu
    ? "analyze gives the same matrices on webgpu as on native: counts equal, importances within 1e-4"
    : "analyze on webgpu (skipped: no GPU adapter here)",
  ignore: !gpu,
  // ONNX Runtime and the driver keep threads and handles beyond the device.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () => compareWithNative("webgpu", IMAGES.slice(0, 2)), // a software adapter takes 10 s an image
});
