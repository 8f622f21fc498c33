import type { Measure } from "./measure.ts";

/**
 * Dice similarity of "object salient" and "class predicted" over samples: 2a / (2a + b + c), 0 (never together) … 1 (always). NaN when
 * neither ever happens. It rises with how common object and class are by themselves: see phi.
 */
export const dice: Measure = {
  name: "dice",
  source:
    "2a / (2a + b + c), Dice 1945; the measure of EmoCAM (arXiv 2407.14314), 1 − scipy's dice",
  units: "Dice, 0..1",
  signed: false,
  value({ a, b, c }) {
    const union = 2 * a + b + c;
    return union === 0 ? NaN : 2 * a / union;
  },
};
