/** Replacements of the user's files in the documents' commands: small pictures, tables and models under the names used there. */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { writeNpy } from "../../src/base/npy.ts";
import { ints } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";
import { blocksOf, ROOT } from "./documents.ts";

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const photo = (name: string) => join(ROOT, "models", "photos", `${name}.jpg`);

/** FindingEmo's table of annotations, of two pictures. */
const ANNOTATIONS = [
  "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime",
  '0,user0,"/happy/astronaut.jpg","Happy","Adult",2,3,Joy,"Facial Expression",0,2023-03-01 10:00:00',
  '1,user1,"/neutral/hopper.jpg","Neutral","Adult",0,1,Trust,"Facial Expression",1,2023-03-01 10:00:00',
  "",
].join("\n");

const BOXES = [
  "image,label,confidence,x0,y0,x1,y1",
  "happy/astronaut.jpg,Human face,0.9,170,60,280,210",
  "neutral/hopper.jpg,Tie,0.8,230,420,290,590",
  "",
].join("\n");

/** Writes the files that the documents' commands name into an empty folder. */
export async function writeStandIns(folder: string): Promise<void> {
  const at = (path: string) => join(folder, path);
  const text = async (path: string, content: string) => {
    await Deno.mkdir(dirname(at(path)), { recursive: true });
    await Deno.writeTextFile(at(path), content);
  };
  const copy = async (from: string, path: string) => {
    await Deno.mkdir(dirname(at(path)), { recursive: true });
    await Deno.copyFile(from, at(path));
  };

  // Pictures, a corpus as a table, and boxes and annotations for them.
  await Deno.symlink(join(ROOT, "models"), at("models"));
  for (const corpus of ["photos", "moved/photos", "findingemo"]) {
    await copy(photo("astronaut"), `${corpus}/happy/astronaut.jpg`);
    await copy(photo("hopper"), `${corpus}/neutral/hopper.jpg`);
  }
  await copy(photo("hopper"), "more/hopper.jpg");
  await copy(photo("astronaut"), "photo.jpg");
  await sharp(photo("hopper")).resize(256).png().toFile(at("more.png"));
  await text("corpus.csv", "path,mood\nphotos/happy/astronaut.jpg,bright\nmore/hopper.jpg,calm\n");
  await text("boxes.csv", BOXES);
  await text("annotations_single.ann", ANNOTATIONS);
  await text("findingemo/annotations_single.ann", ANNOTATIONS);

  // A bare ONNX file whose target layer is called conv5, a card for it, and ready inputs; a card beside a shipped network.
  await Deno.writeFile(at("model.onnx"), smallModel());
  await text("card.json", JSON.stringify(SMALL_CARD));
  await Deno.writeFile(at("inputs.npy"), writeNpy(noise([2, 3, 16, 16], 5)));
  await copy(join(ROOT, "models", "mini-xception.onnx"), "mini-xception.onnx");
  await copy(join(ROOT, "models", "mini-xception.json"), "my-card.json");

  // EmoNet's and Darknet's files with few channels.
  await copy(golden("emonet/tiny.pth"), "emonet.pth");
  const line = Array.from({ length: 3 * 227 }, (_, i) => i < 227 ? "124" : "110").join(",");
  await text("img_mean.txt", `${line}\n`.repeat(227));
  await copy(golden("darknet/odd.cfg"), "yolov3-openimages.cfg");
  await copy(golden("darknet/odd.weights"), "yolov3-openimages.weights");
  await text("openimages.names", "Person\nHuman face\nCar\n");

  // The list of runs is the one that the document shows.
  const reproduce = await Deno.readTextFile(join(ROOT, "docs", "reproduce.md"));
  const list = blocksOf(reproduce).find(({ language }) => language === "json");
  if (!list) throw new Error("docs/reproduce.md shows no list of runs");
  await text("reproduce.json", list.text);
}

/** Two convolutions, pooling and a dense layer: [N, 3, 16, 16] to three logits. */
function smallModel(): Uint8Array {
  const b = netOn(["N", 3, 16, 16]);
  const weights = (shape: readonly number[], seed: number) => b.initializer(noise(shape, seed));
  const first = b.op("Relu", [
    b.op("Conv", ["x", weights([4, 3, 3, 3], 1)], { strides: ints([2, 2]) }),
  ]);
  const layer = put(b, "Conv", [first, weights([6, 4, 3, 3], 2)], {}, "conv5");
  const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [b.op("Relu", [layer])])]);
  const logits = put(b, "Gemm", [pooled, weights([6, 3], 3)], {}, "logits");
  return writeModel(output(b, logits));
}

const SMALL_CARD = {
  name: "small",
  task: "classifier",
  file: "model.onnx",
  input: {
    name: "x",
    width: 16,
    height: 16,
    channels: "rgb",
    fit: "stretch",
    resize: "pillow-bilinear",
    scale: 1 / 255,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  output: { kind: "logits" },
  classes: ["anger", "joy", "calm"],
  targetLayer: "conv5",
  source: "made for a test",
  licence: "MIT",
};
