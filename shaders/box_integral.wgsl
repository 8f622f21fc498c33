// Box means as the exact integral, without a full-size map: means[k] = Σ_i Σ_j rows[b, i] · columns[b, j] · values[m, i, j]
// for pair k = (map m, box b). One workgroup a pair.

struct Params {
  maps: u32,
  boxes: u32,
  pairs: u32,
  height: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<f32>;
@group(0) @binding(3) var<storage, read> columns: array<f32>;
@group(0) @binding(4) var<storage, read> pairs: array<u32>;
@group(0) @binding(5) var<storage, read_write> means: array<f32>;

const WG = 64u;

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
  var sum = 0.0;
  for (var i = local; i < p.height * p.width; i += WG) {
    let weight = rows[box * p.height + i / p.width] * columns[box * p.width + i % p.width];
    // A cell outside the box has no say, even if it is NaN.
    if (weight != 0.0) {
      sum += weight * values[map * p.height * p.width + i];
    }
  }
  sums[local] = sum;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      sums[local] += sums[local + half];
    }
  }
  if (local == 0u) {
    means[pair] = sums[0];
  }
}
