/**
 * Which objects are salient, and which are detected, in each sample: the 0/1 table behind every count of an association matrix.
 *
 * @module
 */

import { layerOf, type LongTable } from "./long_table.ts";

/** What counts. */
export interface IncidenceFilter {
  /** A box is salient when its importance exceeds this. */
  readonly threshold: number;
  /** Samples count whose predicted class has a probability above this; by default all. */
  readonly emotionConfidence?: number | undefined;
  /** Boxes count whose confidence is above this; by default all, also those without one. */
  readonly objectConfidence?: number | undefined;
}

/** For each object the samples that have it, ascending: those of object o are `samples[first[o]] … samples[first[o + 1] − 1]`. */
export interface ObjectLists {
  readonly first: Int32Array;
  readonly samples: Int32Array;
}

/** The samples that count, with their objects. */
export interface Incidence {
  readonly objects: readonly string[];
  readonly classes: readonly string[];
  /** Indices of the classes that have cells. */
  readonly columns: readonly number[];
  /** Index of each sample's predicted class. */
  readonly label: Int32Array;
  /** Place of each sample's image in the table; ascending. */
  readonly image: Int32Array;
  /** Place of each sample in the table; ascending. */
  readonly place: Int32Array;
  /** Salient objects, one for each layer of the table. */
  readonly salient: readonly ObjectLists[];
  /** Objects with any box that counts, salient or not. */
  readonly detected: ObjectLists;
}

/** The samples of a table that count, with the objects that are salient under one method's maps. */
export function incidenceOf(table: LongTable, method: number, filter: IncidenceFilter): Incidence {
  // The table's columns are float32: what lies at a limit is not over it there either.
  const limit = (value: number | undefined) => value === undefined ? undefined : Math.fround(value);
  const threshold = Math.fround(filter.threshold);
  const emotionConfidence = limit(filter.emotionConfidence);
  const objectConfidence = limit(filter.objectConfidence);
  const { objects, firstSample, firstBox, probability, predicted, layers } = table;
  const importance = table.importance[method];
  const place: number[] = [], image: number[] = [];
  for (let i = 0; i < table.images.length; i++) {
    for (let s = firstSample[i]; s < firstSample[i + 1]; s++) {
      if (emotionConfidence !== undefined && !(probability[s] > emotionConfidence)) continue;
      place.push(s);
      image.push(i);
    }
  }
  const lists = (holds: (box: number) => boolean) =>
    listsOf(objects.length, place.length, (sample, add) => {
      const from = firstBox[place[sample]], to = firstBox[place[sample] + 1];
      for (let box = from; box < to; box++) {
        if (objectConfidence !== undefined && !(table.confidence[box] > objectConfidence)) continue;
        if (holds(box)) add(table.object[box]);
      }
    });
  return {
    objects,
    classes: table.classes,
    columns: table.columns,
    label: Int32Array.from(place, (s) => predicted[s]),
    image: Int32Array.from(image),
    place: Int32Array.from(place),
    salient: Array.from(
      { length: layers },
      (_, layer) => lists((box) => importance[box * layers + layer] > threshold),
    ),
    detected: lists(() => true),
  };
}

/** The samples in which an object is salient for a class. */
export function salientIn(
  incidence: Incidence,
  object: number,
  target: number,
): Int32Array {
  const { first, samples } = incidence.salient[
    layerOf({ layers: incidence.salient.length }, target)
  ];
  return samples.subarray(first[object], first[object + 1]);
}

/**
 * Lists by object of what is told by sample; an object that a sample names twice counts once.
 *
 * @param each calls `add` with every object of a sample
 */
export function listsOf(
  objects: number,
  samples: number,
  each: (sample: number, add: (object: number) => void) => void,
): ObjectLists {
  const last = new Int32Array(objects).fill(-1);
  const first = new Int32Array(objects + 1);
  const visit = (take: (object: number, sample: number) => void) => {
    last.fill(-1);
    for (let sample = 0; sample < samples; sample++) {
      each(sample, (object) => {
        if (last[object] === sample) return;
        last[object] = sample;
        take(object, sample);
      });
    }
  };
  visit((object) => first[object + 1]++);
  for (let object = 0; object < objects; object++) first[object + 1] += first[object];
  const next = first.slice(0, objects);
  const list = new Int32Array(first[objects]);
  visit((object, sample) => list[next[object]++] = sample);
  return { first, samples: list };
}
