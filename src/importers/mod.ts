/**
 * Importers: foreign weights as ONNX files with cards.
 *
 * @module
 */

export { buildModels, buildNet, type BuiltFile } from "./build_models.ts";
export { type DarknetImport, importDarknet } from "./darknet/import.ts";
export { type EmonetOptions, importEmonet } from "./emonet.ts";
export { faceExpressionNet, faceLandmarkNet, tinyFaceNet } from "./face_api.ts";
export { type ImportedModel, type ImportedParts, writeImported } from "./imported.ts";
export { cardText, type NetRecipe, NETS } from "./nets.ts";
export { importOnnx, type OnnxImport } from "./onnx.ts";
export { tfjsGraph, type TfjsGraphOptions, type TfjsModel } from "./tfjs_graph.ts";
export { TFJS_OPS } from "./tfjs_ops.ts";
export { type ManifestGroup, readTfjsWeights, type TfjsWeight } from "./tfjs_weights.ts";
