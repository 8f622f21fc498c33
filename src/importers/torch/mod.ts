/**
 * PyTorch's `.pth` files: a reader of state dicts that executes nothing.
 *
 * @module
 */

export type { TorchType } from "./element_types.ts";
export { readStateDict, TorchStateDict, type TorchTensor } from "./state_dict.ts";
