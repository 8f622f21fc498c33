/**
 * Before version 2.7, Deno's WebGPU departs from the standard where ONNX Runtime relies on it: an adapter gives its device, and
 * a device its errors, at once instead of by a promise, and pipelines cannot be made in the background at all.
 *
 * @module
 */

import { denoIsBefore } from "../base/deno_version.ts";

/** Mends the interfaces of an older Deno; does nothing on 2.7 and later. */
export function mendOlderDeno(): void {
  if (!denoIsBefore(2, 7) || typeof GPUDevice === "undefined") return;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    return await requestDevice.apply(this, args);
  };
  const { popErrorScope } = GPUDevice.prototype;
  GPUDevice.prototype.popErrorScope = async function () {
    return await popErrorScope.apply(this);
  };
  GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
    return await Promise.resolve(this.createComputePipeline(descriptor));
  };
  GPUDevice.prototype.createRenderPipelineAsync = async function (descriptor) {
    return await Promise.resolve(this.createRenderPipeline(descriptor));
  };
}
