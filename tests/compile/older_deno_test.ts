/**
 * One version of Deno serves development and another the compiling of the binary in tests: the sources run on both.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { contents, copyProject, donor, ROOT, succeed, withDonor } from "./workshop.ts";
import { assertAtLeast } from "../assert_that.ts";

Deno.test(
  withDonor("the same sources give the same matrices on Deno 2.6 and on this Deno"),
  async (t) => {
    assert.ok(donor, "no older Deno is at hand");
    const { deno, version: older } = donor;
    const folder = await Deno.makeTempDir({ prefix: "emocam-older-" });
    try {
      const project = join(folder, "project");
      await copyProject(project);
      const version = await succeed(deno, ["task", "emocam", "--version"], { cwd: project });
      assert.match(version.stdout, /^\d+\.\d+\.\d+$/m);
      for (const backend of ["native", "wasm"]) {
        await t.step(backend, async () => {
          const [theirs, ours] = [join(folder, `older-${backend}`), join(folder, backend)];
          const analyze = (out: string) => ["task", "analyze", "--backend", backend, "--out", out];
          // A task's `deno` is the Deno that runs the task.
          await succeed(deno, analyze(theirs), { cwd: project });
          await succeed(Deno.execPath(), analyze(ours), { cwd: ROOT });
          const matrices = await contents(join(theirs, "matrices"));
          assertAtLeast(matrices.size, 4);
          assert.deepEqual(matrices, await contents(join(ours, "matrices")));
          const { versions } = JSON.parse(await Deno.readTextFile(join(theirs, "run.json")));
          assert.equal(versions.deno, older);
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
