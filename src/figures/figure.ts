/**
 * What a figure is: a function from plain, serialisable data to an SVG string, the same bytes for the same data.
 *
 * Data hold no paths to read and no functions; pictures come as data URLs (see sample_overlay.ts, which makes them from pixels).
 *
 * @module
 */

import type { Rect } from "../image/geometry.ts";

/** How a figure is written; not what it shows. */
export interface FigureOptions {
  /** `live`: text elements (HTML, editable SVG); `outlines`: vector paths, needed for PNG. By default `live`. */
  readonly text?: "live" | "outlines";
  /** `print`: black on white, complete in itself; `page`: no background, text in the page's colour. By default `print`. */
  readonly ink?: "print" | "page";
}

/** A figure. */
export type Figure<Data> = (data: Data, options?: FigureOptions) => string;

/** An object × class matrix to be drawn (an AssociationMatrix fits), or another with names for its rows and columns. */
export interface HeatMatrixData {
  /** The figure's name, and the line below it, where they do not follow from the rest. */
  readonly name?: string;
  readonly facts?: string;
  /** What is in the cells: `dice`, `phi`, `log-odds` … It is part of the figure's name. */
  readonly measure: string;
  /** The CAM method whose salient boxes were counted. */
  readonly method: string;
  readonly objects: readonly string[];
  readonly classes: readonly string[];
  /** Row-major objects × classes; NaN where a cell has no value. */
  readonly values: ArrayLike<number>;
  /** Over this importance a box is salient. */
  readonly threshold?: number;
  /** What the values count or range over, e.g. `phi, −1..1`; the legend's title. */
  readonly units?: string;
  /** Whether values lie on both sides of a neutral 0, also where none here is negative. */
  readonly signed?: boolean;
  /** How many samples (or whatever `counted` says) the matrix was made from. */
  readonly n?: number;
  /** What `n` counts, in the plural; `samples` by default. */
  readonly counted?: string;
}

/** How much of a matrix is drawn, and on which scale. */
export interface HeatMatrixOptions extends FigureOptions {
  /** At most this many objects (default 40); the strongest are chosen, and the figure says so. */
  readonly maxRows?: number;
  /** At most this many classes (default 40); the strongest are chosen, and the figure says so. */
  readonly maxColumns?: number;
  /** Draw these objects in this order instead (those not in the matrix are left out), with the reason as the figure's note. */
  readonly rows?: { readonly objects: readonly string[]; readonly rule: string };
  /** The scale covers these values too, so that several matrices can be compared. */
  readonly scaleOver?: Iterable<number>;
  /** Print numbers if no more cells than this are drawn (default 320). */
  readonly numbersUpTo?: number;
}

/** One box of an overlay. */
export interface OverlayBox extends Rect {
  readonly label: string;
  /** Mean of the map in the box, 0..1, or NaN. */
  readonly importance: number;
  /** Whether the importance is over the threshold. */
  readonly salient: boolean;
}

/** A picture with a map over it and boxes. All coordinates are pixels of the picture. */
export interface OverlayData {
  /** What the map shows: the method and the class, and what else identifies it. */
  readonly title: string;
  /** A second line. */
  readonly subtitle?: string;
  /** Size of the picture in its own pixels (boxes and map are placed in these). */
  readonly width: number;
  readonly height: number;
  /** Data URL of the picture; without it, a grey ground is drawn. */
  readonly imageHref?: string;
  readonly map?: {
    /** Data URL of an RGBA PNG in the colours and opacities of `mapColour`; absent where the map is undefined (NaN). */
    readonly href?: string;
    /** Where the map lies. */
    readonly region: Rect;
  };
  readonly boxes: readonly OverlayBox[];
  /** The importance over which a box is salient, for the legend. */
  readonly threshold?: number;
}

/** How an overlay is drawn. */
export interface OverlayOptions extends FigureOptions {
  /** Width of the picture in the figure, in pixels (default: the data's). */
  readonly width?: number;
  /** At most this many boxes carry a label, the most important ones (default 24); the figure says so. */
  readonly maxLabels?: number;
  /** Whether the legend is below the picture (default true). */
  readonly legend?: boolean;
}
