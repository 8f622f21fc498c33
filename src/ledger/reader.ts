/**
 * Streams of the ledger's rows in the order of a run: by the image's place, the sample's place, then what each reader says.
 * The order depends on nothing else (not on ids, which tell in what order things were computed), and memory stays flat: no query
 * sorts more than one sample's rows.
 *
 * @module
 */

import {
  type BoxRow,
  damaged,
  type Database,
  type Duplicates,
  fromBlob,
  type ImageRow,
  type MapRow,
  numberOf,
  numberOrNaN,
  type PredictionRow,
  type RunImageRow,
  type SamplePlace,
  type SampleRow,
  type ScoredSample,
  type ScoreRow,
} from "./rows.ts";
import type { Prediction, RawMap } from "../attribution/results.ts";

/** The columns of {@link imageOf}. */
export const IMAGE_COLUMNS = `i.id, i.path, i.status, i.error, i.bytes, i.annotation,
  c.sha256, c.width, c.height, c.format, c.orientation`;

/** CROSS JOIN fixes the order of the loops, so the keys themselves give the order of the rows. */
const PLACES = `
  FROM run_image r CROSS JOIN image i ON i.id = r.image
  CROSS JOIN sample s ON s.content = i.content AND s.stage = :sampling
  CROSS JOIN`;
const PLACE_COLUMNS = `r.ordinal, i.path, s.id, s.idx, s.x0, s.y0, s.x1, s.y1, s.face`;

/** The queries of the streams, exported so that a test can check that none of them sorts. */
export const STREAMS = {
  images: `
    SELECT r.ordinal, ${IMAGE_COLUMNS},
      (SELECT count(*) FROM sample s WHERE s.content = i.content AND s.stage = :sampling) AS samples
    FROM run_image r CROSS JOIN image i ON i.id = r.image LEFT JOIN content c ON c.id = i.content
    WHERE r.run = :run ORDER BY r.ordinal`,
  predictions: `
    SELECT ${PLACE_COLUMNS}, p.predicted, p.probabilities, p.logits
    ${PLACES} prediction p ON p.sample = s.id AND p.stage = :forward
    WHERE r.run = :run ORDER BY r.ordinal, s.idx`,
  predicted: `
    SELECT ${PLACE_COLUMNS}, p.predicted
    ${PLACES} prediction p ON p.sample = s.id AND p.stage = :forward
    WHERE r.run = :run ORDER BY r.ordinal, s.idx`,
  maps: `
    SELECT ${PLACE_COLUMNS}, m.class, m.height, m.width, m.raw
    ${PLACES} map m ON m.sample = s.id AND m.stage = :map
    WHERE r.run = :run ORDER BY r.ordinal, s.idx, m.class`,
} as const;

/** The stages whose samples and answers are streamed. */
export interface Sampled {
  readonly sampling: number;
  readonly forward: number;
}

/** {@link IMAGE_COLUMNS} as SQLite gives them. */
export interface ImageColumns {
  id: number;
  path: string;
  status: "ok" | "failed";
  error: string | null;
  sha256: string | null;
  bytes: number | null;
  width: number | null;
  height: number | null;
  format: string | null;
  orientation: number | null;
  annotation: string | null;
}

/** A row of `sample` as SQLite gives it. */
export interface SampleColumns {
  id: number;
  idx: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  face: number | null;
}

/** A row of `box` as SQLite gives it. */
export interface BoxColumns extends SampleColumns {
  label: string;
  confidence: number | null;
}

/** A row of `prediction` as SQLite gives it. */
export interface PredictionColumns {
  predicted: number;
  probabilities: Uint8Array;
  logits: Uint8Array | null;
}

/** A row of `map` as SQLite gives it. */
export interface MapColumns {
  class: number;
  height: number;
  width: number;
  raw: Uint8Array;
}

interface PlaceColumns extends SampleColumns {
  ordinal: number;
  path: string;
}

/** A row of `score` as SQLite gives it. */
export interface ScoreColumns {
  class: number;
  box: number;
  importance: number | null;
  share: number | null;
}

/** The images of a run, failed ones too. `samples` counts those of one sampling stage (0 without one). */
export function* streamImages(
  database: Database,
  run: number,
  sampling = 0,
): Generator<RunImageRow> {
  for (
    const row of rows<ImageColumns & { ordinal: number; samples: number }>(
      database,
      STREAMS.images,
      { run, sampling },
    )
  ) {
    yield { ...imageOf(row), ordinal: row.ordinal, samples: row.samples };
  }
}

/** Groups of images of a run that have equal bytes, in the order of their first images. */
export function findDuplicates(database: Database, run: number): Duplicates[] {
  const query = `
    SELECT c.sha256, i.path FROM run_image r JOIN image i ON i.id = r.image
      JOIN content c ON c.id = i.content
    WHERE r.run = :run AND i.content IN (
      SELECT i.content FROM run_image r JOIN image i ON i.id = r.image
      WHERE r.run = :run AND i.content IS NOT NULL
      GROUP BY i.content HAVING count(DISTINCT i.id) > 1)
    ORDER BY r.ordinal`;
  const groups = new Map<string, Set<string>>();
  for (const { sha256, path } of rows<{ sha256: string; path: string }>(database, query, { run })) {
    const group = groups.get(sha256);
    if (group) group.add(path);
    else groups.set(sha256, new Set([path]));
  }
  return [...groups].map(([sha256, group]) => ({ sha256, paths: [...group] }));
}

/** The samples of a run with the classifier's answers, by image and sample; unfinished samples are left out. */
export function* streamPredictions(
  database: Database,
  run: number,
  { sampling, forward }: Sampled,
): Generator<PredictionRow> {
  const values = { run, sampling, forward };
  for (
    const row of rows<PlaceColumns & PredictionColumns>(database, STREAMS.predictions, values)
  ) {
    yield { ...placeOf(row), ...predictionOf(row) };
  }
}

/** The samples of a run, each once for each method's scoring stage (in the order given), with all its scores. */
export function* streamScores(
  database: Database,
  run: number,
  { sampling, forward }: Sampled,
  methods: readonly number[],
): Generator<ScoredSample> {
  const targets = database.prepare(
    `SELECT class FROM scoring WHERE sample = ? AND stage = ? ORDER BY class`,
  );
  const boxes = database.prepare(
    `SELECT id, idx, label, confidence, x0, y0, x1, y1, face FROM box
     WHERE content = (SELECT content FROM sample WHERE id = ?)`,
  );
  const scores = database.prepare(
    `SELECT class, box, importance, share FROM score WHERE sample = ? AND stage = ?`,
  );
  const values = { run, sampling, forward };
  for (
    const row of rows<PlaceColumns & { predicted: number }>(database, STREAMS.predicted, values)
  ) {
    const place = placeOf(row);
    // The methods of a sample share its boxes.
    const known = new Map(
      (boxes.all(place.sample.id) as BoxColumns[]).map((box) => [box.id, boxOf(box)]),
    );
    for (const [method, stage] of methods.entries()) {
      yield {
        ...place,
        method,
        predicted: row.predicted,
        targets: (targets.all(place.sample.id, stage) as { class: number }[]).map((target) =>
          target.class
        ),
        scores: (scores.all(place.sample.id, stage) as ScoreColumns[])
          .map((score) => scoreOf(score, known.get(score.box) ?? damaged("box")))
          .sort((a, b) => a.class - b.class || a.box.idx - b.box.idx || a.box.id - b.box.id),
      };
    }
  }
}

/** The raw maps of one map stage, by image, sample and class. */
export function* streamMaps(
  database: Database,
  run: number,
  { sampling, map }: { readonly sampling: number; readonly map: number },
): Generator<MapRow> {
  const values = { run, sampling, map };
  for (const row of rows<PlaceColumns & MapColumns>(database, STREAMS.maps, values)) {
    yield { ...placeOf(row), class: row.class, ...mapOf(row) };
  }
}

/** An image from a row of {@link IMAGE_COLUMNS}. */
export function imageOf(row: ImageColumns): ImageRow {
  return {
    id: row.id,
    path: row.path,
    status: row.status,
    error: row.error ?? undefined,
    sha256: row.sha256 ?? undefined,
    bytes: row.bytes ?? undefined,
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    format: row.format ?? undefined,
    orientation: row.orientation ?? undefined,
    annotation: row.annotation === null ? undefined : JSON.parse(row.annotation),
  };
}

/** A prediction from a row of its table. */
export function predictionOf(row: PredictionColumns): Prediction {
  const probabilities = fromBlob(row.probabilities, "prediction");
  const logits = row.logits === null ? undefined : fromBlob(row.logits, "prediction");
  if (!(row.predicted in probabilities)) damaged("prediction");
  return { predicted: numberOf(row.predicted, "prediction"), probabilities, logits };
}

/** A map from a row of its table. */
export function mapOf({ raw, height, width }: Omit<MapColumns, "class">): RawMap {
  const values = fromBlob(raw, "map");
  if (!(height > 0 && width > 0 && values.length === height * width)) damaged("map");
  return { raw: values, height, width };
}

/** A sample from a row of its table. */
export function sampleOf(row: SampleColumns): SampleRow {
  return { id: row.id, idx: row.idx, ...cornersOf(row, "sample"), face: row.face ?? undefined };
}

function placeOf(row: PlaceColumns): SamplePlace {
  return { ordinal: row.ordinal, path: row.path, sample: sampleOf(row) };
}

/** A box from a row of its table. */
export function boxOf(row: BoxColumns): BoxRow {
  if (typeof row.label !== "string") damaged("box");
  return {
    id: row.id,
    idx: row.idx,
    label: row.label,
    confidence: numberOrNaN(row.confidence, "box"),
    ...cornersOf(row, "box"),
    face: row.face ?? undefined,
  };
}

/** A score from a row of its table and its box. */
export function scoreOf({ class: target, importance, share }: ScoreColumns, box: BoxRow): ScoreRow {
  return {
    class: target,
    box,
    importance: numberOrNaN(importance, "score"),
    share: numberOrNaN(share, "score"),
  };
}

function cornersOf({ x0, y0, x1, y1 }: SampleColumns, table: string) {
  return {
    x0: numberOf(x0, table),
    y0: numberOf(y0, table),
    x1: numberOf(x1, table),
    y1: numberOf(y1, table),
  };
}

/** A fresh statement for each stream, so that streams of one kind can run inside each other. */
function rows<Row>(
  database: Database,
  sql: string,
  values: Record<string, number>,
): Iterable<Row> {
  return database.prepare(sql).iterate(values) as Iterable<Row>;
}
