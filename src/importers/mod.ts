/**
 * Importers: foreign weights as ONNX files with cards, and published corpora.
 *
 * @module
 */

export { buildModels, buildNet, type BuiltFile } from "./build_models.ts";
export { fetchImages, type FetchImagesOptions } from "./corpus_images.ts";
export { type DarknetImport, importDarknet } from "./darknet/import.ts";
export { type EmonetOptions, importEmonet } from "./emonet.ts";
export { faceExpressionNet, faceLandmarkNet, tinyFaceNet } from "./face_api.ts";
export { FetchLog } from "./fetch_log.ts";
export {
  type FindingEmoAnnotation,
  judgements,
  readFindingEmo,
  readUrlList,
} from "./findingemo.ts";
export { type ImportedModel, type ImportedParts, writeImported } from "./imported.ts";
export { cardText, type NetRecipe, NETS } from "./nets.ts";
export { importOnnx, type OnnxImport } from "./onnx.ts";
export { findPublished, PUBLISHED, type PublishedModel } from "./published.ts";
export { tfjsGraph, type TfjsGraphOptions } from "./tfjs/graph.ts";
export { type TfjsModel } from "./tfjs/model.ts";
export { TFJS_OPS } from "./tfjs/ops.ts";
export { type ManifestGroup, readTfjsWeights, type TfjsWeight } from "./tfjs/weights.ts";
