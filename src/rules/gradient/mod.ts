/**
 * The gradient of every operator we know: the table for the walk in `onnx/backward.ts`.
 *
 * A rule may be asked for what the operator's ONNX specification allows; what it does not cover it refuses by
 * `UnsupportedOpError`, never by a wrong number.
 *
 * @module
 */

import type { RuleTable } from "../../onnx/backward.ts";
import * as activation from "./activation.ts";
import * as conv from "./conv.ts";
import * as elementwise from "./elementwise.ts";
import * as gemm from "./gemm.ts";
import * as normalisation from "./normalisation.ts";
import * as pool from "./pool.ts";
import * as reduce from "./reduce.ts";
import * as resize from "./resize.ts";
import * as shape from "./shape.ts";
import * as softmax from "./softmax.ts";

/** Gradient rules by operator. */
export const GRADIENT_RULES = {
  // Convolution and matrix products
  Conv: conv.conv,
  ConvTranspose: conv.convTranspose,
  Gemm: gemm.gemm,
  MatMul: gemm.matMul,

  // Pooling
  MaxPool: pool.maxPool,
  AveragePool: pool.averagePool,
  GlobalAveragePool: pool.globalAveragePool,
  GlobalMaxPool: pool.globalMaxPool,

  // Normalisation
  BatchNormalization: normalisation.batchNormalization,
  LayerNormalization: normalisation.layerNormalization,
  InstanceNormalization: normalisation.instanceNormalization,
  GroupNormalization: normalisation.groupNormalization,
  LpNormalization: normalisation.lpNormalization,
  LRN: normalisation.lrn,
  Softmax: softmax.softmax,
  LogSoftmax: softmax.logSoftmax,

  // Functions of one element
  Relu: activation.relu,
  Clip: activation.clip,
  Sigmoid: activation.sigmoid,
  Tanh: activation.tanh,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  LeakyRelu: activation.leakyRelu,
  PRelu: activation.pRelu,
  Elu: activation.elu,
  Selu: activation.selu,
  Celu: activation.celu,
  ThresholdedRelu: activation.thresholdedRelu,
  Softplus: activation.softplus,
  Softsign: activation.softsign,
  Mish: activation.mish,
  Gelu: activation.gelu,
  "com.microsoft.Gelu": activation.gelu,
  Neg: activation.neg,
  Abs: activation.abs,
  Exp: activation.exp,
  Log: activation.log,
  Sqrt: activation.sqrt,
  Reciprocal: activation.reciprocal,
  Erf: activation.erf,
  Sin: activation.sin,
  Cos: activation.cos,

  // Arithmetic with broadcasting, and selection
  Add: elementwise.add,
  Sub: elementwise.sub,
  Mul: elementwise.mul,
  Div: elementwise.div,
  Pow: elementwise.pow,
  Sum: elementwise.sum,
  Mean: elementwise.mean,
  Max: elementwise.max,
  Min: elementwise.min,
  Where: elementwise.where,
  Expand: elementwise.expand,
  Identity: elementwise.identity,
  Dropout: elementwise.identity,
  Floor: elementwise.step,
  Ceil: elementwise.step,
  Round: elementwise.step,
  Sign: elementwise.step,

  // Reductions
  ReduceSum: reduce.reduceSumRule,
  ReduceMean: reduce.reduceMeanRule,
  ReduceMax: reduce.reduceMaxRule,
  ReduceMin: reduce.reduceMinRule,
  ReduceSumSquare: reduce.reduceSumSquare,
  ReduceL1: reduce.reduceL1,
  ReduceL2: reduce.reduceL2,
  ReduceLogSumExp: reduce.reduceLogSumExp,

  // Rearrangement
  Reshape: shape.reshaped,
  Flatten: shape.reshaped,
  Squeeze: shape.reshaped,
  Unsqueeze: shape.reshaped,
  Transpose: shape.transposed,
  Concat: shape.concat,
  Split: shape.split,
  Slice: shape.sliced,
  Pad: shape.padded,
  Gather: shape.gather,
  Tile: shape.tile,
  Cast: shape.cast,
  SpaceToDepth: shape.spaceToDepth,
  DepthToSpace: shape.depthToSpace,
  Resize: resize.resize,
  Upsample: resize.resize,
} satisfies RuleTable;
