/**
 * The published procedure's chain of pictures, from a raw map to the heat in the detector's frame, as loops in double precision that
 * share no code with `src/`. It is written from design.md's section 6 and from what the published code calls:
 *
 * 1. pytorch-grad-cam: ReLU; minus the minimum, over 1e-7 plus the maximum; `cv2.resize` (bilinear, half-pixel centres, no
 *    antialiasing) to the classifier's 227 × 227; and minus minimum over 1e-7 plus maximum once more.
 * 2. `cv2.resize` to the photograph.
 * 3. Pillow's bicubic filter (antialiased, a = −1/2) of a picture of mode "F" into a letterbox with bars of 0: the side that needs the
 *    smaller factor fills the frame, the other is cut to an integer, and so is half of what is left.
 * 4. `heat[int(y0):int(y1), int(x0):int(x1)].mean()`.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture of numbers: rows of columns. */
type Picture = number[][];

/** The heat in the detector's frame, of a raw map of `cells` × `cells` at a classifier of `side` × `side` pixels. */
export function paperHeat(
  raw: ArrayLike<number>,
  cells: number,
  side: number,
  image: Size,
  frame: Size,
): Picture {
  const map = Array.from(
    { length: cells },
    (_, y) =>
      Array.from({ length: cells }, (_, x) => {
        const value = raw[y * cells + x];
        return value < 0 ? 0 : value;
      }),
  );
  const cam = scaled(resized(scaled(map), side, side));
  const photo = resized(cam, image.width, image.height);
  const { width, height, left, top } = paperFrame(image, frame);
  const inner = transposed(filtered(transposed(filtered(photo, width)), height));
  const heat = Array.from({ length: frame.height }, () => new Array<number>(frame.width).fill(0));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) heat[top + y][left + x] = inner[y][x];
  }
  return heat;
}

/** Where the photograph lies in the frame. */
export function paperFrame(image: Size, frame: Size): Size & { left: number; top: number } {
  const [across, down] = [frame.width / image.width, frame.height / image.height];
  const width = across <= down ? frame.width : Math.floor(down * image.width);
  const height = across <= down ? Math.floor(across * image.height) : frame.height;
  const left = Math.floor((frame.width - width) / 2), top = Math.floor((frame.height - height) / 2);
  return { width, height, left, top };
}

/** pytorch-grad-cam's `scale_cam_image`, without its resizing. */
function scaled(picture: Picture): Picture {
  const all = picture.flat();
  const low = all.reduce((a, b) => Math.min(a, b));
  const high = all.reduce((a, b) => Math.max(a, b - low), -Infinity);
  return picture.map((row) => row.map((value) => (value - low) / (1e-7 + high)));
}

/** `cv2.resize` with INTER_LINEAR. */
function resized(picture: Picture, width: number, height: number): Picture {
  const [rows, columns] = [picture.length, picture[0].length];
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const v = Math.min(Math.max((y + 0.5) * rows / height - 0.5, 0), rows - 1);
      const u = Math.min(Math.max((x + 0.5) * columns / width - 0.5, 0), columns - 1);
      const [i, j] = [Math.floor(v), Math.floor(u)];
      const [below, right] = [Math.min(i + 1, rows - 1), Math.min(j + 1, columns - 1)];
      return (1 - (v - i)) * ((1 - (u - j)) * picture[i][j] + (u - j) * picture[i][right]) +
        (v - i) * ((1 - (u - j)) * picture[below][j] + (u - j) * picture[below][right]);
    }));
}

/** Pillow's bicubic filter along each row. */
function filtered(picture: Picture, width: number): Picture {
  const columns = picture[0].length, step = columns / width, spread = Math.max(step, 1);
  const weights = Array.from({ length: width }, (_, x) => {
    const centre = (x + 0.5) * step;
    const first = Math.max(Math.trunc(centre - 2 * spread + 0.5), 0);
    const end = Math.min(Math.trunc(centre + 2 * spread + 0.5), columns);
    const own = Array.from(
      { length: end - first },
      (_, k) => bicubic((first + k + 0.5 - centre) / spread),
    );
    const total = own.reduce((a, b) => a + b);
    return { first, own: own.map((weight) => weight / total) };
  });
  return picture.map((row) =>
    weights.map(({ first, own }) =>
      own.reduce((sum, weight, k) => sum + weight * row[first + k], 0)
    )
  );
}

function bicubic(x: number): number {
  const a = -0.5, t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((t - 5) * t + 8) * t * a - 4 * a : 0;
}

function transposed(picture: Picture): Picture {
  return picture[0].map((_, x) => picture.map((row) => row[x]));
}
