import type { JointSimilarity } from "./similarity.ts";

/**
 * 1 − the standardised Euclidean distance √(Σᵢ (uᵢ − vᵢ)² / Vᵢ), Vᵢ the variance (n − 1 below) of image i over all vectors.
 *
 * An image on which all vectors agree has Vᵢ = 0 and makes every pair NaN, as in scipy.
 */
export const seuclidean: JointSimilarity = {
  name: "seuclidean",
  title: "Standardized Euclidean Distance",
  source: "√(Σ (u−v)² / V), V the variance of an image over the vectors; scipy's pdist",
  distances(vectors) {
    const count = vectors.length, n = vectors[0]?.length ?? 0;
    const weights = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const ones = vectors.reduce((sum, vector) => sum + vector[i], 0);
      // k ones among m: Σ (x − mean)² = k (m − k) / m.
      weights[i] = 1 / (ones * (count - ones) / count / (count - 1));
    }
    const result = new Float64Array(count * (count - 1) / 2);
    const undefinedImage = weights.includes(Infinity) || weights.some(Number.isNaN);
    let at = 0;
    for (let p = 0; p < count; p++) {
      for (let q = p + 1; q < count; q++) {
        let sum = 0;
        for (let i = 0; i < n; i++) if (vectors[p][i] !== vectors[q][i]) sum += weights[i];
        result[at++] = undefinedImage ? NaN : Math.sqrt(sum);
      }
    }
    return result;
  },
};
