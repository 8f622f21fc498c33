/**
 * Files of equal bytes that a detector tells apart by their paths.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import { sha256 } from "../base/json.ts";
import type { Detector } from "../detectors/detector.ts";
import { sameBoxes } from "../ledger/stored_detections.ts";
import type { CorpusImage } from "../image/image_file.ts";

/**
 * Refuses each image whose file equals that of an image before it by path (code points) but has other boxes: what is
 * computed belongs to the content, so only one of them can have its boxes. Files of the same size are read for it; a detector
 * that looks at pixels needs none of this.
 */
export async function refuseConflictingBoxes(
  images: readonly CorpusImage[],
  { lookUp, name }: Detector,
): Promise<readonly CorpusImage[]> {
  if (!lookUp) return images;
  const sized = await Promise.all(
    images.map(async (image) => ({ image, size: (await stat(image.file))?.size })),
  );
  const bySize = Map.groupBy(sized, ({ size }) => size);
  const refused = new Map<CorpusImage, string>();
  for (const [size, group] of bySize) {
    if (size === undefined || group.length < 2) continue;
    const first = new Map<string, CorpusImage>();
    const byPath = group.map(({ image }) => image).sort((a, b) =>
      compareCodePoints(a.path, b.path)
    );
    for (const image of byPath) {
      const hash = sha256(await Deno.readFile(image.file));
      const known = first.get(hash);
      if (!known) first.set(hash, image);
      else if (!sameBoxes(lookUp(known.path).boxes, lookUp(image.path).boxes)) {
        refused.set(
          image,
          `Cannot use its boxes: the file is identical to ${known.path}, for which ${name} has other boxes`,
        );
      }
    }
  }
  if (refused.size === 0) return images;
  return images.map((image) => {
    const reason = refused.get(image);
    return reason === undefined ? image : { ...image, refused: reason };
  });
}

async function stat(file: string): Promise<Deno.FileInfo | undefined> {
  try {
    const info = await Deno.stat(file);
    return info.isFile ? info : undefined;
  } catch {
    return undefined; // it will fail when it is read
  }
}
