/**
 * From pixels to overlay data: cuts out what is shown, enlarges it, and embeds photo and map as small files.
 *
 * @module
 */

import { cropResize } from "../image/crop.ts";
import { cropPlacement, frameOf, isEmpty, placeRect, type Rect } from "../image/geometry.ts";
import type { FloatMap, RgbImage } from "../image/image.ts";
import { dataUrl, encodeJpeg, encodePng, type RgbaImage } from "../image/render.ts";
import { resizePillowFloat } from "../image/pillow.ts";
import { mapColour } from "./drawing/colour.ts";
import type { OverlayBox, OverlayData } from "./figure.ts";
import { defined } from "../base/defined.ts";

/** What an overlay is made of. Rectangles are in pixels of the image. */
export interface OverlaySource {
  readonly title: string;
  readonly subtitle?: string;
  readonly image: RgbImage;
  /** The part that is shown (a face crop, which may reach over the edge: black there); by default the whole image. */
  readonly view?: Rect;
  /** A final map, 0..1, and where it lies in the image (by default over what is shown). */
  readonly map?: FloatMap & { readonly region?: Rect };
  readonly boxes: readonly OverlayBox[];
  readonly threshold?: number;
  /** Width in pixels that the shown part is brought to: by default 288 for a part, the image's own (at most 960) for the whole. */
  readonly width?: number;
  /** JPEG quality of the photo, 1..100 (default 80). */
  readonly quality?: number;
}

/** Longest side of an embedded map; maps are upsampled from a few cells, so more pixels would only cost bytes. */
const MAP_SIDE = 160;

/**
 * Prepares an overlay: plain data with the photo as JPEG and the map as PNG inside.
 *
 * @throws {RangeError} when the view is empty or the map's data do not fit its size.
 */
export async function sampleOverlay(source: OverlaySource): Promise<OverlayData> {
  const { image } = source;
  const view = source.view ?? frameOf(image);
  if (isEmpty(view)) {
    throw new RangeError(
      `Cannot show part of an image: ${view.x0},${view.y0},${view.x1},${view.y1} is empty`,
    );
  }
  const width = Math.round(source.width ?? (source.view ? 288 : Math.min(960, image.width)));
  const height = Math.max(1, Math.round((width * (view.y1 - view.y0)) / (view.x1 - view.x0)));
  const shown = cropResize(image, view, width, height, "bicubic");
  const placement = cropPlacement(view, width, height);
  const photo = await encodeJpeg(shown, { quality: source.quality ?? 80 });
  return {
    title: source.title,
    ...defined({ subtitle: source.subtitle }),
    width,
    height,
    imageHref: dataUrl(photo, "image/jpeg"),
    ...(source.map === undefined ? {} : {
      map: {
        ...await mapHref(source.map),
        region: placeRect(placement, source.map.region ?? view),
      },
    }),
    boxes: source.boxes.map((box) => ({
      label: box.label,
      importance: box.importance,
      salient: box.salient,
      ...placeRect(placement, box),
    })),
    ...defined({ threshold: source.threshold }),
  };
}

async function mapHref(map: FloatMap): Promise<{ href?: string }> {
  const picture = mapPicture(map);
  return picture ? { href: dataUrl(await encodePng(picture), "image/png") } : {};
}

/**
 * A map as an RGBA picture in the colours and opacities of `mapColour`, reduced to at most 160 pixels on its longer side, in 256 levels;
 * `undefined` where any value is NaN (a map is defined everywhere or nowhere).
 *
 * @throws {RangeError} when the data do not fit the size.
 */
export function mapPicture(map: FloatMap): RgbaImage | undefined {
  if (map.data.length !== map.width * map.height || map.data.length === 0) {
    throw new RangeError(
      `Cannot draw a map of ${map.width}x${map.height}: ${map.data.length} values`,
    );
  }
  if (map.data.some(Number.isNaN)) return undefined;
  const ratio = Math.min(1, MAP_SIDE / Math.max(map.width, map.height));
  const width = Math.max(1, Math.round(map.width * ratio));
  const height = Math.max(1, Math.round(map.height * ratio));
  const values = ratio < 1
    ? resizePillowFloat(map.data, map.width, map.height, width, height, "bilinear")
    : map.data;
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < values.length; i++) data.set(level(values[i]), i * 4);
  return { width, height, data };
}

const levels: Uint8Array[] = [];

function level(value: number): Uint8Array {
  const index = Math.round(255 * Math.min(1, Math.max(0, value)));
  return levels[index] ??= rgbaOf(index / 255);
}

function rgbaOf(value: number): Uint8Array {
  const { r, g, b, opacity } = mapColour(value);
  return Uint8Array.of(Math.round(r), Math.round(g), Math.round(b), Math.round(255 * opacity));
}
