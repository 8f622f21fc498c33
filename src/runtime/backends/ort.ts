/**
 * What the three backends share: ONNX Runtime's JavaScript API under our {@linkcode Session}.
 *
 * @module
 */

import type * as ort from "onnxruntime-common";
import { messageOf, ModelError } from "../../base/errors.ts";
import { flag } from "../../base/flag.ts";
import type { AnyTensor } from "../../base/tensor.ts";
import {
  type Backend,
  type GpuTensor,
  isGpuTensor,
  ORT_TYPES,
  type Session,
  type SessionValue,
} from "../session.ts";

/** The parts of an ONNX Runtime package that a session needs. */
interface Ort {
  InferenceSession: typeof ort.InferenceSession;
  Tensor: typeof ort.Tensor;
}

/**
 * Loads a model with the given package and settings.
 *
 * @throws {ModelError} with the first line of ONNX Runtime's message at the end.
 */
export async function openWith(
  { InferenceSession, Tensor }: Ort,
  backend: Backend,
  model: Uint8Array,
  options: ort.InferenceSession.SessionOptions,
): Promise<Session> {
  let session: ort.InferenceSession;
  try {
    // What goes wrong is told by errors; the runtime's own lines would stand among ours.
    session = await InferenceSession.create(model, { logSeverityLevel: 4, ...options });
  } catch (error) {
    throw refusal(`Cannot load the model on backend ${backend}: ONNX Runtime refuses it`, error);
  }
  return {
    backend,
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds, fetches = session.outputNames) {
      const inputs: Record<string, ort.Tensor> = {};
      for (const [name, value] of Object.entries(feeds)) inputs[name] = toOrt(Tensor, value);
      let outputs: ort.InferenceSession.OnnxValueMapType;
      try {
        outputs = await session.run(inputs, fetches);
      } catch (error) {
        throw refusal(`Cannot run the model on backend ${backend}: ONNX Runtime stopped`, error);
      }
      const results: Record<string, SessionValue> = {};
      for (const name of fetches) {
        results[name] = fromOrt(name, outputs[name] as ort.Tensor);
      }
      return results;
    },
    dispose: () => session.release(),
  };
}

/** An error with ONNX Runtime's own words at its end; alone they are its cause. */
function refusal(what: string, error: unknown): ModelError {
  const [said] = messageOf(error).split("\n");
  return new ModelError(
    `${what}; try another ${flag("backend")}, or export the model again (${said})`,
    { cause: said },
  );
}

function toOrt(Tensor: Ort["Tensor"], value: SessionValue): ort.Tensor {
  if (isGpuTensor(value)) {
    return Tensor.fromGpuBuffer(value.buffer as never, { dataType: "float32", dims: value.shape });
  }
  const { type, data, shape } = value;
  return new Tensor(type as "float32", data as Float32Array, shape);
}

function fromOrt(name: string, value: ort.Tensor): SessionValue {
  if (value.location === "gpu-buffer") {
    const gpu: GpuTensor = {
      buffer: value.gpuBuffer as unknown as GPUBuffer,
      type: "float32",
      shape: value.dims,
      dispose: () => value.dispose(),
    };
    return gpu;
  }
  if (!(ORT_TYPES as readonly string[]).includes(value.type)) {
    throw new ModelError(`Cannot read output ${JSON.stringify(name)}: its type is ${value.type}`);
  }
  return { type: value.type, shape: value.dims, data: value.data } as AnyTensor;
}
