import assert from "node:assert/strict";
import { formOf, formsText, LAYER_FORMS } from "../../src/classifier/layer_forms/mod.ts";
import { emptyGraph } from "../../src/onnx/graph.ts";

Deno.test("channels first is the one form: four axes, of which the last three are known", () => {
  assert.equal(formsText(), "[N, C, h, w]");
  assert.deepEqual(LAYER_FORMS.map(({ rank, axes }) => ({ rank, axes })), [
    { rank: 4, axes: [2, 3] },
  ]);
  assert.deepEqual(formOf(["N", 16, 7, 5])?.extents, { channels: 16, height: 7, width: 5 });
  for (const shape of [["N", 16, 35], ["N", 16, "h", 5], [1, 2, 3, 4, 5], []]) {
    assert.equal(formOf(shape), undefined, `[${shape}]`);
  }
});

Deno.test("a layer with channels first is a grid as it is", () => {
  const graph = emptyGraph("as it is");
  assert.deepEqual(LAYER_FORMS[0].asGrid(graph, "maps"), { graph, layer: "maps" });
});
