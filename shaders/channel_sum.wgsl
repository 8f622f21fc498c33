// Weighted sums over channels, rectified if asked: sums[m, i] = Σ_c weights[m, c] · activation[m / perImage, c, i].
// One invocation a cell.

struct Params {
  maps: u32,
  perImage: u32,
  channels: u32,
  cells: u32,
  rectify: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> activation: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const WG = 64u;
// Channels that are added up apart before they join the total, which keeps the rounding error of a long sum small.
const BLOCK = 32u;

// Compared as bits, since a compiler may take it for granted that no number is NaN: NaN stays.
fn rectified(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits >= 0x80000000u && bits <= 0xff800000u) {
    return 0.0;
  }
  return x;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.x + group.y * groups.x) * WG + local;
  if (i >= p.maps * p.cells) {
    return;
  }
  let map = i / p.cells;
  let cell = i % p.cells;
  let image = map / p.perImage;
  var total = 0.0;
  for (var start = 0u; start < p.channels; start += BLOCK) {
    var part = 0.0;
    for (var c = start; c < min(start + BLOCK, p.channels); c++) {
      part += weights[map * p.channels + c] * activation[(image * p.channels + c) * p.cells + cell];
    }
    total += part;
  }
  if (p.rectify != 0u) {
    total = rectified(total);
  }
  sums[i] = total;
}
