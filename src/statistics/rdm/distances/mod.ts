/**
 * Distances between rows of an association matrix. To add one, write its file here and list it below.
 *
 * @module
 */

import { cityblock } from "./cityblock.ts";
import { correlation } from "./correlation.ts";
import { cosine } from "./cosine.ts";
import type { Distance } from "./distance.ts";
import { euclidean } from "./euclidean.ts";
import { meanSquared } from "./mean_squared.ts";
import { spearman } from "./spearman.ts";
import { squaredEuclidean } from "./squared_euclidean.ts";

export type { Distance } from "./distance.ts";

/** Every distance by name. */
export const DISTANCES = {
  "correlation": correlation,
  "cosine": cosine,
  "spearman": spearman,
  "euclidean": euclidean,
  "squared-euclidean": squaredEuclidean,
  "mean-squared": meanSquared,
  "cityblock": cityblock,
} as const satisfies Readonly<Record<string, Distance>>;
