import { fem } from "../../src/methods/fem.ts";
import {
  assertDefinedBy,
  madeLayer,
  randomLayer,
  rawMapsOf,
  sum,
  sumOfChannels,
} from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("FEM weights a channel by the fraction of its cells above mean + 2 std", async () => {
  // One cell of 9 stands out: mean 1, std √8, threshold 1 + 2√8 = 6.66 < 9. The flat channel has none.
  const peak = [[0, 0, 0], [0, 9, 0], [0, 0, 0]];
  const flat = [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]];
  const [map] = await rawMapsOf(fem, madeLayer([peak, flat]));
  assertClose(map!, peak.flat().map((value) => value / 9), { ofRange: 1e-6 });
});

Deno.test("FEM equals its definition on random layers", () =>
  assertDefinedBy(fem, randomLayer([1, 40, 6, 7], { rectified: false }), (activation) => {
    const weights = activation.map((channel) => {
      const mean = sum(channel) / 42;
      const std = Math.sqrt(sum(channel.map((value) => (value - mean) ** 2)) / 42);
      return channel.filter((value) => value > mean + 2 * std).length / 42;
    });
    return sumOfChannels(activation, (a, k) => a * weights[k]);
  }));
