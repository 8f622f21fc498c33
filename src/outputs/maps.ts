/**
 * `maps/METHOD/IMAGE.npy`: the raw maps, before ReLU and normalisation, where `--maps` asks for them.
 *
 * @module
 */

import { fileNames } from "../base/file_names.ts";
import { OwnedFolder } from "../base/owned_folder.ts";
import { writeNpy } from "../base/npy.ts";
import { floats } from "../base/tensor.ts";
import type { FinishedMethod, FinishedRun } from "../ledger/finished_run.ts";
import { NOTHING, type Output } from "./output.ts";

/** The output `maps/`. */
export const maps: Output = {
  file: "maps",
  folder: true,
  when: ({ run }) => run.manifest.arguments.maps === true,
  names({ maps, methods, images }) {
    if (!maps) return () => false;
    const own = new Set(methods);
    const nameOf = fileNames();
    const stems = new Set(images.map((path) => bare(nameOf(path))));
    return (name) => {
      const [, method, stem] = /^maps\/([^/]+)\/([^/]+)\.npy$/.exec(name) ?? [];
      return method !== undefined && own.has(method) && stems.has(bare(stem));
    };
  },
  async write(folder, { run }) {
    await writeMaps(folder, run, "maps/");
    return NOTHING;
  },
};

/** A name without the number of a second one: which image has which is only known when it is known which have samples. */
function bare(stem: string): string {
  return stem.replace(/~\d+$/, "");
}

/** The maps of one image, while they are collected. */
interface ImageMaps {
  readonly ordinal: number;
  readonly path: string;
  samples: number;
  readonly maps: Float32Array[];
}

/**
 * Writes the raw maps, `METHOD/IMAGE.npy`: float32 [samples, h, w], or [samples, classes, h, w] where all classes were explained. Images
 * without samples have no file.
 *
 * @param below what their paths begin with in the folder
 * @returns the number of files.
 */
export async function writeMaps(
  to: string | OwnedFolder,
  run: FinishedRun,
  below = "",
): Promise<number> {
  const folder = typeof to === "string" ? new OwnedFolder(to) : to;
  let files = 0;
  for (const method of run.methods) {
    const nameOf = fileNames();
    for (const image of imagesOf(run, method)) {
      await folder.write(
        `${below}${method.name}/${nameOf(image.path)}.npy`,
        npyOf(run, method, image),
      );
      files++;
    }
  }
  return files;
}

/** The maps of a method, image by image: no more than one image's are held. */
function* imagesOf(run: FinishedRun, method: FinishedMethod): Generator<ImageMaps> {
  let current: ImageMaps | undefined, lastSample = -1;
  for (const { ordinal, path, sample, raw } of run.maps(method)) {
    if (current?.ordinal !== ordinal) {
      if (current) yield current;
      current = { ordinal, path, samples: 0, maps: [] };
      lastSample = -1;
    }
    if (sample.idx !== lastSample) current.samples++;
    lastSample = sample.idx;
    current.maps.push(raw);
  }
  if (current) yield current;
}

function npyOf(run: FinishedRun, { grid }: FinishedMethod, { samples, maps }: ImageMaps) {
  const { height, width } = grid;
  const data = new Float32Array(maps.length * height * width);
  maps.forEach((map, i) => data.set(map, i * height * width));
  const shape = run.explained === "all"
    ? [samples, maps.length / samples, height, width]
    : [samples, height, width];
  return writeNpy(floats(shape, data));
}
