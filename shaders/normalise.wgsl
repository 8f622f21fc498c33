// Min-max normalisation: normalised[m, i] = (values[m, i] − low[m]) / (high[m] − low[m] + epsilon); NaN where the
// map's extremes are. One invocation a value.

struct Params {
  maps: u32,
  size: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> extremes: array<f32>;
@group(0) @binding(3) var<storage, read_write> normalised: array<f32>;

const WG = 64u;

fn is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (group.x + group.y * groups.x) * WG + local;
  if (i >= p.maps * p.size) {
    return;
  }
  let map = i / p.size;
  let low = extremes[2u * map];
  let range = extremes[2u * map + 1u] - low;
  // WGSL has no NaN constant, and a variable keeps the compiler from making one.
  var nan = 0x7fc00000u;
  if (is_finite(low) && is_finite(range)) {
    normalised[i] = (values[i] - low) / (range + p.epsilon);
  } else {
    normalised[i] = bitcast<f32>(nan);
  }
}
