/**
 * In which unit the corners in a file of boxes are: pixels of the picture, of a picture of another size, fractions or percent. What the file
 * says is converted; what contradicts the pictures is refused; what only looks strange is told.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";
import { flag } from "../../base/flag.ts";
import type { Orientation, Size } from "../../image/image.ts";
import type { Box } from "../detector.ts";
import type { BoxTable } from "./table.ts";

/** What corners can be. */
export const BOX_SCALES = ["pixels", "fractions", "percent"] as const;
export type BoxScale = typeof BOX_SCALES[number];

/** The picture that a name in the file means. */
export interface MeantPicture {
  /** What the image is called. */
  readonly path: string;
  readonly size: Size;
  /** Its size under the other `--orientation`. */
  readonly other: Size;
}

/** How boxes are placed. */
interface Placing {
  /** As given; else what the file says, or pixels. */
  readonly scale?: BoxScale | undefined;
  readonly orientation: Orientation;
  /** Whether boxes outside of their picture are kept. */
  readonly keepOutside?: boolean | undefined;
}

/** Boxes in pixels of their pictures, and what should be known of them. */
interface Placed {
  readonly table: BoxTable;
  readonly notices: readonly string[];
}

/** A box of an image of the run. */
interface OwnBox {
  readonly box: Box;
  readonly picture: MeantPicture;
  /** The size of the picture that it is on, as the file says. */
  readonly frame: Size;
}

/** Fractions of boxes that reach over an edge are beyond 0..1 by less than this share; percent likewise. */
const OVER = .5;
/** Pictures with shorter sides could hold all of it in a pixel or two. */
const LEAST_SIDE = 4;
/** Boxes reach over an edge by more than this share of the side, and these pixels, before it is told. */
const EDGE = .1, EDGE_PIXELS = 2;
/** By more than this, they do not fit at all. */
const FAR = .25;
/** So many boxes say something together. */
const SOME = 3;
/** Boxes in the upper left corner of so large pictures that chance would put them there as rarely as this are taken for percent; or told. */
const RARE = 1e-4, STRANGE = .05;

/**
 * Puts the boxes of a table into pixels of their pictures. Boxes outside of their picture are left out.
 *
 * @param pictures by the table's names, as far as they can be read and are in the run. Names without a picture keep their boxes, which nobody asks for;
 *   where boxes are relative, they have none.
 * @throws {UsageError} where the scale contradicts the pictures, with the reason and what to do.
 */
export function placeBoxes(
  table: BoxTable,
  pictures: ReadonlyMap<string, MeantPicture>,
  { scale, orientation, keepOutside = false }: Placing,
): Placed {
  if (table.relative && scale !== undefined && scale !== "fractions") {
    throw new UsageError(
      `Cannot use ${
        flag("units")
      } ${scale} with ${table.origin}: its format is in fractions of the picture; leave it out`,
    );
  }
  const notices: string[] = [];
  const refuse = (why: string): never => {
    throw new UsageError(`Cannot use the boxes of ${table.origin}: ${why}`);
  };
  const tell = (what: string) => void notices.push(`${table.origin}: ${what}`);
  const pixels = !table.relative && (scale === undefined || scale === "pixels");
  if (pixels && scale === undefined) {
    checkUnit(table, pictures, refuse, tell);
  }
  if (!pixels && !table.relative) checkRange(table, scale === "percent" ? 100 : 1, refuse);
  const whole = scale === "percent" ? 100 : 1;
  const frames = scale === "pixels"
    ? new Map<string, Size>()
    : framesOf(table, pictures, { refuse, tell: pixels ? tell : () => {}, orientation });
  const images = new Map<string, readonly Box[]>();
  const outside: OwnBox[] = [], beyond: OwnBox[] = [];
  let inside = 0;
  for (const [name, boxes] of table.images) {
    const picture = pictures.get(name);
    if (!picture) {
      images.set(name, pixels ? boxes : []);
      continue;
    }
    const frame = pixels ? frames.get(name) : { width: whole, height: whole };
    const placed = frame ? boxes.map((box) => scaled(box, picture.size, frame)) : boxes;
    images.set(
      name,
      placed.filter((box) => {
        const { width, height } = picture.size;
        const out = box.x1 <= 0 || box.y1 <= 0 || box.x0 >= width || box.y0 >= height;
        if (out) outside.push({ box, picture, frame: picture.size });
        else if (reaches(box, picture.size) > EDGE) {
          beyond.push({ box, picture, frame: picture.size });
        } else inside++;
        return !out || keepOutside;
      }),
    );
  }
  if (pixels) {
    const wrong = scale === undefined && beyond.length > inside &&
      (beyond.length > 1 || reaches(beyond[0]!.box, beyond[0]!.picture.size) > OVER);
    const none = scale === undefined && inside + beyond.length === 0 && outside.length > 0;
    const [first] = none ? outside : beyond;
    if (first && (wrong || none)) {
      const all = inside + beyond.length + outside.length;
      const turned = [...beyond, ...outside].every(({ box, picture }) =>
        reaches(box, picture.other) <= EDGE
      );
      refuse(
        `${beyond.length + outside.length} of ${all} boxes reach out of their pictures (${
          shown(first)
        }), as boxes of pictures of another size do; ${
          turned
            ? `they fit with ${flag("orientation")} ${otherOf(orientation)}`
            : `write them in pixels of these pictures, or say with ${
              flag("units")
            } what they are (pixels, fractions, percent)`
        }`,
      );
    }
  }
  if (beyond.length > 0) {
    tell(
      `boxes reach out of their picture by over a tenth of it (${beyond.length}: ${
        shown(beyond[0]!)
      }); their part inside counts`,
    );
  }
  if (outside.length > 0 && !keepOutside) {
    tell(`boxes outside of their picture are left out (${outside.length}: ${shown(outside[0]!)})`);
  }
  const { relative: _, ...rest } = table;
  return { table: { ...rest, images }, notices };
}

/** Refuses or tells what looks like fractions or percent instead of pixels. */
function checkUnit(
  table: BoxTable,
  pictures: ReadonlyMap<string, MeantPicture>,
  refuse: (why: string) => never,
  tell: (what: string) => void,
): void {
  const all = [...table.images.values()].flat();
  const across = rangeOf(all, "x0", "x1"), down = rangeOf(all, "y0", "y1");
  const own = ownBoxes(table, pictures);
  const frames = [...new Map(own.map(({ picture, frame }) => [picture, frame])).values()];
  const [first] = own;
  const example = first ? ` (${shown(first)})` : "";
  const within = (range: Range, most: number) =>
    range.least >= -OVER * most && range.most <= (1 + OVER) * most;
  const large = frames.every(({ width, height }) => Math.min(width, height) >= LEAST_SIDE);
  const say = (scale: BoxScale) =>
    `give ${flag("units")} ${scale}, or ${flag("units")} pixels if they are pixels`;
  if (large && within(across, 1) && within(down, 1)) {
    refuse(
      `all corners are within 0..1, so that they seem to be fractions of the pictures instead of pixels${example}; ${
        say("fractions")
      }`,
    );
  }
  if (large && all.length >= SOME && (within(across, 1) || within(down, 1))) {
    const [one, other] = within(across, 1) ? ["x", "y"] : ["y", "x"];
    refuse(
      `all ${one} are within 0..1 and the ${other} are not, so that the one seem to be fractions and the other pixels${example}; write all in pixels, or give ${
        flag("units")
      } pixels if they are`,
    );
  }
  const tiny = own.filter(({ box, frame }) =>
    Math.min(frame.width, frame.height) >= LEAST_SIDE &&
    Math.min(box.x0, box.y0) >= 0 && Math.max(box.x1, box.y1) <= 1
  );
  if (tiny.length > 0) {
    tell(
      `boxes within 0..1 count as pixels, as the others do, but look like fractions (${tiny.length}: ${
        shown(tiny[0]!)
      }); correct them, or give ${flag("units")} pixels if they are meant`,
    );
  }
  const most = Math.max(across.most, down.most);
  if (most > 105 || most < 50 || Math.min(across.least, down.least) < -5) return;
  // Pictures that EXIF turns explain it better.
  const turned = own.some(({ picture: { size, other } }) => size.width !== other.width) &&
    own.every(({ box, picture }) => reaches(box, picture.other) <= EDGE);
  if (turned) return;
  const far = own.find(({ box, frame }) => reaches(box, frame) > FAR);
  if (far) {
    refuse(
      `all corners are within 0..100 and some reach far out of the picture, so that they seem to be percent instead of pixels (${
        shown(far)
      }); ${say("percent")}`,
    );
  }
  // One box an image: those of one image are not independent.
  const chance = frames.reduce(
    (product, { width, height }) => product * Math.min(1, 105 / width) * Math.min(1, 105 / height),
    1,
  );
  if (chance < RARE) {
    refuse(
      `all corners are within 0..100, in larger pictures, so that they seem to be percent instead of pixels${example}; ${
        say("percent")
      }`,
    );
  }
  if (chance < STRANGE) {
    tell(
      `all corners are within 0..100${example}; if they are percent, give ${flag("units")} percent`,
    );
  }
}

/** Refuses corners that cannot be of the unit that was said. */
function checkRange(table: BoxTable, whole: number, refuse: (why: string) => never): void {
  for (const [name, boxes] of table.images) {
    for (const { x0, y0, x1, y1 } of boxes) {
      if (Math.min(x0, y0) >= -OVER * whole && Math.max(x1, y1) <= (1 + OVER) * whole) continue;
      refuse(
        `${flag("units")} ${
          whole === 1 ? "fractions" : "percent"
        } is given, and a box of ${name} is ${
          corners({ x0, y0, x1, y1 })
        }; leave it out, or correct the file`,
      );
    }
  }
}

/** The sizes of pictures in whose pixels the boxes are, where the file says another one than the picture has. */
function framesOf(
  { sizes }: BoxTable,
  pictures: ReadonlyMap<string, MeantPicture>,
  { refuse, tell, orientation }: {
    readonly refuse: (why: string) => never;
    readonly tell: (what: string) => void;
    readonly orientation: Orientation;
  },
): Map<string, Size> {
  const frames = new Map<string, Size>();
  const turned: string[] = [], changed: string[] = [], contradicting: string[] = [];
  for (const [name, { path, size, other }] of sizes ? pictures : []) {
    const said = sizes!.get(name);
    if (!said || said.width === size.width && said.height === size.height) continue;
    const text = `${path} has ${sizeText(size)}, the file says ${sizeText(said)}`;
    const quarter = other.width !== size.width;
    if (quarter && said.width === other.width && said.height === other.height) turned.push(text);
    else if (sameShape(said, size)) {
      frames.set(name, said);
      changed.push(text);
    } else if (quarter && sameShape(said, other)) turned.push(text);
    else contradicting.push(text);
  }
  const some = (texts: readonly string[]) =>
    `${texts.length === 1 ? "an image" : `${texts.length} images`} (${texts[0]}${
      texts.length > 1 ? " …" : ""
    })`;
  if (turned.length > 0) {
    refuse(
      `its boxes are on the pictures ${
        orientation === "exif" ? "as stored, before EXIF turns them" : "turned upright by EXIF"
      }, in ${some(turned)}; give ${flag("orientation")} ${otherOf(orientation)}`,
    );
  }
  if (contradicting.length > 0) {
    refuse(
      `the width and height that it gives are of another shape than the picture, in ${
        some(contradicting)
      }; give the pictures that the boxes were made on, or ${
        flag("units")
      } pixels if they are in pixels of these`,
    );
  }
  if (changed.length > 0) {
    tell(`boxes are scaled to pictures of another size than the file says, in ${some(changed)}`);
  }
  return frames;
}

/** Whether one size is the other scaled, up to the rounding of either to whole pixels. */
function sameShape(a: Size, b: Size): boolean {
  const off = (one: Size, two: Size) =>
    Math.min(
      Math.abs(two.height - one.height * two.width / one.width),
      Math.abs(two.width - one.width * two.height / one.height),
    );
  return Math.min(off(a, b), off(b, a)) <= 1;
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function rangeOf(boxes: readonly Box[], from: "x0" | "y0", to: "x1" | "y1"): Range {
  return boxes.reduce(
    ({ least, most }, box) => ({
      least: Math.min(least, box[from]),
      most: Math.max(most, box[to]),
    }),
    { least: Infinity, most: -Infinity },
  );
}

function ownBoxes(table: BoxTable, pictures: ReadonlyMap<string, MeantPicture>): OwnBox[] {
  return [...pictures].flatMap(([name, picture]) =>
    (table.images.get(name) ?? []).map((box) => ({
      box,
      picture,
      frame: table.sizes?.get(name) ?? picture.size,
    }))
  );
}

/** By how much of a side a box reaches over an edge; 0 for a few pixels. */
function reaches({ x0, y0, x1, y1 }: Box, { width, height }: Size): number {
  const over = (least: number, most: number, side: number) => {
    const by = Math.max(-least, most - side);
    return by > EDGE_PIXELS ? by / side : 0;
  };
  return Math.max(over(x0, x1, width), over(y0, y1, height));
}

/** A box on a picture, from one in a frame of another size. */
function scaled(box: Box, { width, height }: Size, frame: Size): Box {
  return {
    ...box,
    x0: box.x0 * width / frame.width,
    y0: box.y0 * height / frame.height,
    x1: box.x1 * width / frame.width,
    y1: box.y1 * height / frame.height,
  };
}

function otherOf(orientation: Orientation): Orientation {
  return orientation === "exif" ? "stored" : "exif";
}

function shown({ box, picture: { path }, frame }: OwnBox): string {
  return `${path}: ${corners(box)}, in ${sizeText(frame)}`;
}

function corners({ x0, y0, x1, y1 }: Pick<Box, "x0" | "y0" | "x1" | "y1">): string {
  return [x0, y0, x1, y1].map((value) => Number(value.toPrecision(6))).join(" ");
}

function sizeText({ width, height }: Size): string {
  return `${width}×${height}`;
}
