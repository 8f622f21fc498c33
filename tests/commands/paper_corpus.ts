/** A corpus as FindingEmo's, of the photographs that ship, and small models under the names that the preset asks for. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { withFolder } from "../corpus/face_corpus.ts";
import { emocam, type Outcome } from "./cli.ts";

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
export const PHOTOS = new URL("../../models/photos/", import.meta.url);

/** What the small YOLO finds: the second and third are among the paper's objects. */
export const OBJECTS = ["Car", "Human face", "Person"];

/** Where each photograph lies in the corpus. */
export const PLACES: readonly (readonly [photo: string, path: string])[] = [
  ["astronaut", "Run_1/Ärger & Freude/im.jpg"],
  ["group1", "Run_1/a, b/one.jpg"],
  ["group2", "Run_1/a, b/two.jpg"],
  ["group3", "Run_1/東京/one.jpg"],
  ["group4", "Run_2/Run_1/c d.jpg"],
  ["group5", "Run_2/e/'f'; f.jpg"],
  ["group6", "Run_2/e/g.jpg"],
  ["hopper", "Run_2/not annotated/h.jpg"],
];

/** image, valence, arousal, emotion, ambiguity: two images were annotated twice, one three times; the last two cannot be read. */
const JUDGEMENTS: readonly (readonly [number | string, number, number, string, number])[] = [
  [4, 2, 3, "Joy", 0],
  [0, -1, 5, "Fear", 1],
  [1, 3, 2, "Joy", 2],
  [1, 2, 1, "Trust", 4],
  [2, -3, 6, "Grief", 0],
  [3, 1, 0, "Serenity", 1],
  [3, 0, 2, "Serenity", 0],
  [3, -2, 4, "Sadness", 2],
  [5, -2, 3, "Fear", 5],
  [6, 1, 4, "Surprise", 2],
  [6, 1, 5, "Surprise", 1],
  ["Run_2/e/broken.jpg", 1, 1, "Joy", 0],
  ["Run_2/e/missing.jpg", 1, 1, "Fear", 0],
];

/** One annotation. */
export interface Judged {
  readonly image: string;
  readonly emotion: string;
  readonly valence: number;
  readonly arousal: number;
  readonly ambiguity: number;
}

/** All annotations. */
export const ANNOTATIONS: readonly Judged[] = JUDGEMENTS.map(
  ([at, valence, arousal, emotion, ambiguity]) => ({
    image: typeof at === "number" ? PLACES[at][1] : at,
    emotion,
    valence,
    arousal,
    ambiguity,
  }),
);

/** A folder with models and corpus. */
export interface PaperCorpus {
  readonly folder: string;
  /** The corpus, with `annotations_single.ann` in it. */
  readonly images: string;
  readonly annotations: string;
  /** Runs the preset over folder and annotations into `out`. */
  run(out: string, ...args: string[]): Promise<Outcome>;
  /** A table of a run. */
  table(out: string, name: string): Promise<string[][]>;
  /** Its rows by column. */
  rows(out: string, name: string): Promise<Record<string, string>[]>;
}

/** Runs with a user's model folder that has the small models, and with the corpus. */
export function withPaperCorpus(use: (corpus: PaperCorpus) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const before = Deno.env.get("EMOCAM_MODELS");
    Deno.env.set("EMOCAM_MODELS", join(folder, "models"));
    try {
      await importModels(folder);
      const images = join(folder, "Bilder 画像");
      await writeCorpus(images);
      const annotations = join(images, "annotations_single.ann");
      const read = async (out: string, name: string) =>
        await Deno.readTextFile(join(folder, out, name));
      await use({
        folder,
        images,
        annotations,
        run: (out, ...args) =>
          emocam(
            ...["analyze", images, annotations, "--preset", "paper", "--backend", "native"],
            ...[...args, "--out", join(folder, out)],
          ),
        table: async (out, name) => parse(await read(out, name)),
        rows: async (out, name) => parse(await read(out, name), { columns: true }),
      });
    } finally {
      if (before === undefined) Deno.env.delete("EMOCAM_MODELS");
      else Deno.env.set("EMOCAM_MODELS", before);
    }
  });
}

/** EmoNet's and YOLO's files, small, through `models import`. */
async function importModels(folder: string): Promise<void> {
  const mean = join(folder, "img_mean.txt"), names = join(folder, "small.names");
  const line = Array.from({ length: 3 * 227 }, (_, i) => i < 227 ? "124" : "110").join(",");
  await Deno.writeTextFile(mean, `${line}\n`.repeat(227));
  await Deno.writeTextFile(names, [OBJECTS[2], OBJECTS[1], OBJECTS[0], ""].join("\n"));
  const imports = [
    ["emonet", golden("emonet/tiny.pth"), "--mean", mean],
    [
      ...[
        "darknet",
        "--cfg",
        golden("darknet/odd.cfg"),
        "--weights",
        golden("darknet/odd.weights"),
      ],
      ...["--names", names, "--name", "yolov3-openimages"],
    ],
  ];
  for (const args of imports) {
    const { status, err } = await emocam("models", "import", ...args);
    assert.equal(status, 0, err);
  }
}

async function writeCorpus(images: string): Promise<void> {
  for (const [photo, path] of PLACES) {
    await Deno.mkdir(join(images, path, ".."), { recursive: true });
    await Deno.copyFile(new URL(`${photo}.jpg`, PHOTOS), join(images, path));
  }
  await Deno.writeTextFile(join(images, "Run_2/e/broken.jpg"), "no picture");
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = ANNOTATIONS.map(({ image, valence, arousal, emotion, ambiguity }, i) =>
    [
      ...[i, `user${i % 3}`, quoted(`/${image}`), '"Undefined,Happy"', '"Adult,Senior"'],
      ...[valence, arousal, emotion, '"Facial Expression,Body Language"', ambiguity],
      "2023-03-01 10:00:00",
    ].join(",")
  );
  const header =
    "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime";
  const file = join(images, "annotations_single.ann");
  await Deno.writeTextFile(file, [header, ...lines, ""].join("\n"));
}
