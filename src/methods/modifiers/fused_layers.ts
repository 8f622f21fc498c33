/**
 * Several target layers in one map.
 *
 * @module
 */

import { floats, rows } from "../../base/tensor.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { Method } from "../method.ts";
import { sampledMapsOf } from "./_final_maps.ts";
import { type Modifier, named } from "./modifier.ts";

/**
 * The mean of a method's maps at several target layers, each normalised on its cells and sampled at the input's pixels; the mean is
 * normalised as any map: fine detail from early layers with what late ones say of the class.
 *
 * Costs a forward pass for each further layer, which all methods of a run share.
 *
 * Source: several `target_layers` of pytorch-grad-cam 1.5.7 (`aggregate_multi_layers`).
 *
 * @param others the classifier's cuts at the layers besides its own (`Classifier.cutAt`)
 */
export function fusedLayers(others: readonly Classifier[]): Modifier {
  return {
    name: "fused-layers",
    unsupported: ({ grid }) =>
      grid === "input" ? "its maps do not come from the target layer" : undefined,
    apply: (method): Method => {
      const names = named(method, "fused-layers", "layers fused");
      return {
        ...method,
        ...names,
        settings: { ...names.settings, layers: others.map(({ layer }) => layer.name) },
        rectify: false,
        yieldsWeights: false,
        needsInput: true,
        grid: "input",
        unsupported: (classifier, target) =>
          [classifier, ...others].map((cut) => method.unsupported(cut, target))
            .find((reason) => reason !== undefined),
        async compute(context, classes) {
          const { classifier, forward: { count } } = context;
          const [, height, width] = classifier.inputShape;
          const sum = await sampledMapsOf(method, context, classes);
          for (const { layer: { name } } of others) {
            // Of the context's own classifier, which may be on another backend or have other weights.
            const derived = await context.derive(`layer ${name}`, async () => {
              const other = await classifier.cutAt(name);
              const forward = await other.forward(rows(context.input, 0, count));
              return { classifier: other, forward };
            });
            const maps = await sampledMapsOf(method, derived, classes);
            for (let i = 0; i < sum.length; i++) sum[i] += maps[i];
          }
          const parts = 1 + others.length;
          return { map: floats([classifier.batch, height, width], sum.map((v) => v / parts)) };
        },
      };
    },
  };
}
