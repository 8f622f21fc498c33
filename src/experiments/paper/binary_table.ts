/**
 * Binary vectors over images: what each feature (an object, an emotion) is in.
 *
 * @module
 */

import { compareCodePoints } from "../../base/code_points.ts";

/** A feature that is present in an image. */
interface Mark {
  readonly image: string;
  readonly feature: string;
}

/** Features of one kind. Two kinds may share names: "Boredom" is predicted and annotated. */
export interface FeatureGroup {
  readonly features: readonly string[];
  readonly marks: Iterable<Mark>;
}

/** A vector of 0 and 1 for each feature. */
export interface BinaryTable {
  readonly images: readonly string[];
  readonly features: readonly string[];
  /** One vector a feature, with an element for each image. */
  readonly vectors: readonly Uint8Array[];
}

/**
 * The vectors of some features over images. Marks of other features and of other images are passed over; more than one mark is one.
 *
 * @param images their order; repetitions are passed over
 */
export function binaryTable(
  images: Iterable<string>,
  groups: readonly FeatureGroup[],
): BinaryTable {
  const rows = new Map<string, number>();
  for (const image of images) if (!rows.has(image)) rows.set(image, rows.size);
  const vectors = groups.flatMap(({ features, marks }) => {
    const columns = new Map(features.map((feature) => [feature, new Uint8Array(rows.size)]));
    for (const { image, feature } of marks) {
      const column = columns.get(feature), row = rows.get(image);
      if (column && row !== undefined) column[row] = 1;
    }
    return features.map((feature) => columns.get(feature)!);
  });
  return {
    images: [...rows.keys()],
    features: groups.flatMap(({ features }) => features),
    vectors,
  };
}

/** All features of some marks, in the order of their code points. */
export function allFeatures(marks: Iterable<Mark>): string[] {
  const found = new Set<string>();
  for (const { feature } of marks) found.add(feature);
  return [...found].sort(compareCodePoints);
}
