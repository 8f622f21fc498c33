// The least and the greatest of each map's bilinear samples at the centres of a pixel grid; NaN, NaN for a map with a
// sample that is not finite. One workgroup a map.
//
// Between neighbouring cells the interpolant is affine along x and along y, so its extremes over the samples there lie at the
// outermost of them: along each axis only the samples on either side of a cell's centre are looked at. Of a cell beyond the
// grid that is the grid's outermost sample.

struct Params {
  maps: u32,
  height: u32,
  width: u32,
  outHeight: u32,
  outWidth: u32,
  scaleY: f32,
  offsetY: f32,
  scaleX: f32,
  offsetX: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> extremes: array<f32>;

const WG = 128u;

var<workgroup> low: array<f32, WG>;
var<workgroup> high: array<f32, WG>;
var<workgroup> broken: array<u32, WG>;

fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// The i-th pixel to look at on an axis of `pixels` pixels over `cells` cells.
fn candidate(i: u32, cells: u32, pixels: u32, scale: f32, offset: f32) -> u32 {
  if (pixels <= 2u * cells) {
    return i;
  }
  let before = floor((f32(i / 2u) - offset) / scale - 0.5);
  return u32(clamp(before + f32(i % 2u), 0.0, f32(pixels - 1u)));
}

fn sample(map: u32, y: u32, x: u32) -> f32 {
  let v = clamp(p.scaleY * (f32(y) + 0.5) + p.offsetY, 0.0, f32(p.height - 1u));
  let u = clamp(p.scaleX * (f32(x) + 0.5) + p.offsetX, 0.0, f32(p.width - 1u));
  let top = (map * p.height + u32(v)) * p.width;
  let bottom = (map * p.height + min(u32(v) + 1u, p.height - 1u)) * p.width;
  let left = u32(u);
  let right = min(left + 1u, p.width - 1u);
  let above = values[top + left] + fract(u) * (values[top + right] - values[top + left]);
  let below = values[bottom + left] + fract(u) * (values[bottom + right] - values[bottom + left]);
  return above + fract(v) * (below - above);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let map = group.x + group.y * groups.x;
  if (map >= p.maps) {
    return;
  }
  let rows = min(p.outHeight, 2u * p.height);
  let columns = min(p.outWidth, 2u * p.width);
  var least = 3.4028234e38;
  var greatest = -3.4028234e38;
  var bad = 0u;
  for (var i = local; i < rows * columns; i += WG) {
    let y = candidate(i / columns, p.height, p.outHeight, p.scaleY, p.offsetY);
    let x = candidate(i % columns, p.width, p.outWidth, p.scaleX, p.offsetX);
    let value = sample(map, y, x);
    if (is_finite(value)) {
      least = min(least, value);
      greatest = max(greatest, value);
    } else {
      bad = 1u;
    }
  }
  low[local] = least;
  high[local] = greatest;
  broken[local] = bad;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      low[local] = min(low[local], low[local + half]);
      high[local] = max(high[local], high[local + half]);
      broken[local] |= broken[local + half];
    }
  }
  if (local == 0u) {
    // WGSL has no NaN constant, and a variable keeps the compiler from making one.
    var nan = 0x7fc00000u;
    if (broken[0] != 0u) {
      extremes[2u * map] = bitcast<f32>(nan);
      extremes[2u * map + 1u] = bitcast<f32>(nan);
    } else {
      extremes[2u * map] = low[0];
      extremes[2u * map + 1u] = high[0];
    }
  }
}
