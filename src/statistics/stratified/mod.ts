/**
 * Association in several 2×2 tables at once, one for each level of what is held constant.
 *
 * @module
 */

export { breslowDay } from "./breslow_day.ts";
export { conditionalNull, type CountDistribution, exactConditional } from "./conditional.ts";
export {
  type ChiSquareTest,
  cochranMantelHaenszel,
  mantelHaenszel,
  type PooledOdds,
} from "./mantel_haenszel.ts";
