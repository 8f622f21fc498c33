import assert from "node:assert/strict";
import { floats } from "../../src/base/tensor.ts";
import { occlusion, patchesAlong } from "../../src/methods/occlusion.ts";
import { makeClassifier } from "../classifier/made_classifier.ts";
import { noise, put } from "../onnx/native.ts";
import { mapOf, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtMost, assertMore, assertSome } from "../assert_that.ts";

const H = 20, W = 24;

Deno.test("patches cover every pixel, in steps, and end at the border", () => {
  assert.deepEqual(patchesAlong(24), { starts: [...Array(21).keys()], window: 4 });
  assert.deepEqual(patchesAlong(227).starts.length, 16);
  for (const extent of [1, 2, 5, 48, 227, 608]) {
    const { starts, window } = patchesAlong(extent);
    assert.equal(starts[0], 0);
    assert.equal(starts.at(-1)! + window, extent);
    starts.slice(1).forEach((start, i) => {
      assertMore(start, starts[i]);
      assertAtMost(start, starts[i] + window);
    });
  }
});

Deno.test("occlusion is the mean fall of the score under the patches over a pixel", async () => {
  const classifier = await makeClassifier({
    input: ["N", 3, H, W],
    layer: "a",
    net: (b) => {
      put(b, "Conv", ["x", b.initializer(noise([4, 3, 5, 5], 2))], {}, "a");
      return b.op("Flatten", [b.op("GlobalMaxPool", ["a"])]);
    },
  });
  const input = noise([1, 3, H, W], 9);
  await withContext(classifier, input, "logit", async (context) => {
    const map = await mapOf(occlusion, context, [1, 0]);
    assert.deepEqual(map.shape, [2, H, W]);
    const whole = context.forward.logits!.data[1];
    const rows = patchesAlong(H), columns = patchesAlong(W);
    const falls: { top: number; left: number; fall: number }[] = [];
    for (const top of rows.starts) {
      for (const left of columns.starts) {
        const data = input.data.map((x, p) => {
          const colour = Math.floor(p / (H * W)), y = Math.floor(p / W) % H, column = p % W;
          const inside = y >= top && y < top + rows.window && column >= left &&
            column < left + columns.window;
          const plane = input.data.subarray(colour * H * W, (colour + 1) * H * W);
          return inside ? plane.reduce((a, b) => a + b, 0) / plane.length : x;
        });
        const { logits } = await classifier.evaluate(floats(input.shape, data));
        falls.push({ top, left, fall: whole - logits!.data[1] });
      }
    }
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        const over = falls.filter(({ top, left }) =>
          y >= top && y < top + rows.window && x >= left && x < left + columns.window
        );
        const expected = over.reduce((sum, { fall }) => sum + fall, 0) / over.length;
        const found = map.data[y * W + x];
        assertClose(found, expected, 1e-5, `row ${y}, column ${x}`);
      }
    }
    assertSome(map.data, (x) => Math.abs(x) > 0.1);
  });
  await classifier.dispose();
});
