// Bilinear samples of each map at the centres of a pixel grid; beyond the outermost cells' centres the edge continues.
// One invocation a pixel.

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
@group(0) @binding(2) var<storage, read_write> samples: array<f32>;

const WG = 64u;

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
  let i = (group.x + group.y * groups.x) * WG + local;
  let pixels = p.outHeight * p.outWidth;
  if (i >= p.maps * pixels) {
    return;
  }
  samples[i] = sample(i / pixels, i % pixels / p.outWidth, i % p.outWidth);
}
