/** `models import onnx` on all exports of the reference set, as their exporters wrote them. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { importOnnx } from "../../src/importers/onnx/import.ts";
import { findCard } from "../../src/runtime/card.ts";
import { withFolder } from "../importers/darknet/files.ts";
import { goldenTest } from "../shared_goldens.ts";

goldenTest(
  "nine exports of three nets are imported with their scores and target layer found",
  async (goldens) => {
    let count = 0;
    for (const net of ["alexish", "resish", "mobile"]) {
      const folder = new URL(`cam/${net}/`, goldens);
      const listed = JSON.parse(await Deno.readTextFile(new URL("onnx.json", folder))) as {
        file: string;
      }[];
      for (const { file } of listed) {
        await withFolder(async (into) => {
          const made = await importOnnx(fileURLToPath(new URL(file, folder)), { folder: into });
          const { card } = await findCard(made.card);
          assert.ok(card.task === "classifier", card.task);
          assert.equal(card.classes.length, 20, file);
          assert(card.targetLayer, file);
          assert.equal(made.notices.length, 1, made.notices.join());
        });
        count++;
      }
    }
    assert.equal(count, 9);
  },
);
