// Box means over integer pixels: means[k] = mean of values[m, y, x] over x0 ≤ x < x1, y0 ≤ y < y1 within the map, for pair
// k = (map m, box b); NaN where no pixel is left. One workgroup a pair.

struct Params {
  maps: u32,
  boxes: u32,
  pairs: u32,
  height: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> boxes: array<i32>;
@group(0) @binding(3) var<storage, read> pairs: array<u32>;
@group(0) @binding(4) var<storage, read_write> means: array<f32>;

const WG = 128u;
// Values that are added up apart before they join the total, which keeps the rounding error of a long sum small.
const BLOCK = 32u;

var<workgroup> sums: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let pair = group.x + group.y * groups.x;
  if (pair >= p.pairs) {
    return;
  }
  let map = pairs[2u * pair];
  let box = pairs[2u * pair + 1u];
  let x0 = u32(max(boxes[4u * box], 0));
  let y0 = u32(max(boxes[4u * box + 1u], 0));
  let x1 = u32(clamp(boxes[4u * box + 2u], 0, i32(p.width)));
  let y1 = u32(clamp(boxes[4u * box + 3u], 0, i32(p.height)));
  var width = 0u;
  var count = 0u;
  if (x0 < x1 && y0 < y1) {
    width = x1 - x0;
    count = width * (y1 - y0);
  }
  var total = 0.0;
  for (var start = local; start < count; start += BLOCK * WG) {
    var part = 0.0;
    for (var i = start; i < min(start + BLOCK * WG, count); i += WG) {
      part += values[(map * p.height + y0 + i / width) * p.width + x0 + i % width];
    }
    total += part;
  }
  sums[local] = total;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      sums[local] += sums[local + half];
    }
  }
  if (local == 0u) {
    // WGSL has no NaN constant, and a variable keeps the compiler from making one.
    var nan = 0x7fc00000u;
    if (count == 0u) {
      means[pair] = bitcast<f32>(nan);
    } else {
      means[pair] = sums[0] / f32(count);
    }
  }
}
