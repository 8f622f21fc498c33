/**
 * Writing rows into the ledger. Every method sets a row to what it is given, whether the row is there or not, and keeps the ids
 * of rows that are: repeating an unfinished batch changes nothing.
 *
 * @module
 */

import {
  type BoxInput,
  type BoxRow,
  type Database,
  type ImageInput,
  type SampleInput,
  type SampleRow,
  type ScoreInput,
  type SqlValue,
  type Statement,
  toBlob,
} from "./rows.ts";
import type { Prediction, RawMap } from "../attribution/results.ts";

/** What can be written inside {@linkcode Ledger.commit}. */
export interface LedgerWriter {
  /** Sets an image and its place in a run; gives its id. A known content's unknown dimensions are kept as they are. */
  image(run: number, ordinal: number, image: ImageInput): number;
  /** Sets all detections of a content by a stage, also none; gives the boxes with their ids, in the order given. */
  detection(
    sha256: string,
    stage: number,
    detection: { readonly faces?: unknown; readonly boxes: readonly BoxInput[] },
  ): BoxRow[];
  /**
   * Forgets all scores of a content that were made with boxes of one detection stage, and that there were any: before the
   * content gets other boxes under the same stage. A stage is made with another if its settings have that one's
   * fingerprint as `detection`.
   */
  forgetScores(sha256: string, detection: { readonly fingerprint: string }): void;
  /** Sets all samples of a content under a stage, also none; gives them with their ids, in the order given. */
  sampling(sha256: string, stage: number, samples: readonly SampleInput[]): SampleRow[];
  /** Sets the classifier's answer for a sample. */
  prediction(sample: number, stage: number, prediction: Prediction): void;
  /** Sets the activation of a sample, any shape (the stage's settings determine it). */
  activation(sample: number, stage: number, data: Float32Array): void;
  /** Sets the raw map of a class. */
  map(sample: number, stage: number, target: number, map: RawMap): void;
  /** Sets all scores under one map, also none: the sample is scored for this stage and class. */
  scores(sample: number, stage: number, target: number, scores: readonly ScoreInput[]): void;
}

/** Makes the writer of an open database. Its statements are prepared once. */
export function createWriter(database: Database): LedgerWriter {
  const sql = (text: string): Statement => database.prepare(text);
  const setContent = sql(`
    INSERT INTO content (sha256, width, height, format, orientation) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (sha256) DO UPDATE SET
      width = coalesce(excluded.width, width), height = coalesce(excluded.height, height),
      format = coalesce(excluded.format, format),
      orientation = coalesce(excluded.orientation, orientation)
    RETURNING id`);
  const setImage = sql(`
    INSERT INTO image (path, content, bytes, status, error, annotation)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE SET
      content = excluded.content, bytes = excluded.bytes,
      status = excluded.status, error = excluded.error, annotation = excluded.annotation
    RETURNING id`);
  const setPlace = sql(`
    INSERT INTO run_image (run, ordinal, image) VALUES (?, ?, ?)
    ON CONFLICT (run, ordinal) DO UPDATE SET image = excluded.image`);
  const getContent = sql(`SELECT id FROM content WHERE sha256 = ?`);
  const setDetection = sql(`
    INSERT INTO detection (content, stage, faces) VALUES (?, ?, ?)
    ON CONFLICT (content, stage) DO UPDATE SET faces = excluded.faces`);
  const setBox = sql(`
    INSERT INTO box (content, stage, idx, label, confidence, x0, y0, x1, y1, face)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (content, stage, idx) DO UPDATE SET
      label = excluded.label, confidence = excluded.confidence, x0 = excluded.x0,
      y0 = excluded.y0, x1 = excluded.x1, y1 = excluded.y1, face = excluded.face
    RETURNING id`);
  const cutBoxes = sql(`DELETE FROM box WHERE content = ? AND stage = ? AND idx >= ?`);
  const cutScoring = sql(`
    DELETE FROM scoring WHERE sample IN (SELECT id FROM sample WHERE content = ?)
      AND stage IN (SELECT id FROM stage WHERE json_extract(settings, '$.detection') = ?)`);
  const setSampling = sql(
    `INSERT INTO sampling (content, stage) VALUES (?, ?) ON CONFLICT DO NOTHING`,
  );
  const setSample = sql(`
    INSERT INTO sample (content, stage, idx, x0, y0, x1, y1, face) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (content, stage, idx) DO UPDATE SET
      x0 = excluded.x0, y0 = excluded.y0, x1 = excluded.x1, y1 = excluded.y1, face = excluded.face
    RETURNING id`);
  const cutSamples = sql(`DELETE FROM sample WHERE content = ? AND stage = ? AND idx >= ?`);
  const setPrediction = sql(`
    INSERT INTO prediction (sample, stage, predicted, probabilities, logits) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (sample, stage) DO UPDATE SET predicted = excluded.predicted,
      probabilities = excluded.probabilities, logits = excluded.logits`);
  const setActivation = sql(`
    INSERT INTO activation (sample, stage, data) VALUES (?, ?, ?)
    ON CONFLICT (sample, stage) DO UPDATE SET data = excluded.data`);
  const setMap = sql(`
    INSERT INTO map (sample, stage, class, height, width, raw) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (sample, stage, class) DO UPDATE SET
      height = excluded.height, width = excluded.width, raw = excluded.raw`);
  const setScoring = sql(
    `INSERT INTO scoring (sample, stage, class) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const cutScores = sql(`DELETE FROM score WHERE sample = ? AND stage = ? AND class = ?`);
  const setScore = sql(`
    INSERT INTO score (sample, stage, class, box, importance, share) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (sample, stage, class, box) DO UPDATE SET
      importance = excluded.importance, share = excluded.share`);

  const idOf = (row: unknown) => (row as { id: number }).id;
  const contentOf = (sha256: string) => {
    const row = getContent.get(sha256);
    if (!row) {
      throw new RangeError(
        `Cannot write to the ledger: no image with sha256 ${sha256}; write the image first`,
      );
    }
    return idOf(row);
  };

  return {
    image(run, ordinal, image) {
      const content = image.sha256 === undefined ? null : idOf(setContent.get(
        image.sha256,
        image.width ?? null,
        image.height ?? null,
        image.format ?? null,
        image.orientation ?? null,
      ));
      const id = idOf(setImage.get(
        image.path,
        content,
        image.bytes ?? null,
        image.status,
        image.error ?? null,
        image.annotation ? JSON.stringify(image.annotation) : null,
      ));
      setPlace.run(run, ordinal, id);
      return id;
    },
    detection(sha256, stage, { faces = null, boxes }) {
      const content = contentOf(sha256);
      setDetection.run(content, stage, JSON.stringify(faces, arraysAsLists));
      cutBoxes.run(content, stage, boxes.length);
      return boxes.map((box, idx) => {
        const { label, confidence, x0, y0, x1, y1, face } = box;
        const place: SqlValue[] = [x0, y0, x1, y1, face ?? null];
        return {
          ...box,
          idx,
          id: idOf(setBox.get(content, stage, idx, label, confidence, ...place)),
        };
      });
    },
    forgetScores(sha256, { fingerprint }) {
      cutScoring.run(contentOf(sha256), fingerprint);
    },
    sampling(sha256, stage, samples) {
      const content = contentOf(sha256);
      setSampling.run(content, stage);
      cutSamples.run(content, stage, samples.length);
      return samples.map((sample, idx) => {
        const { x0, y0, x1, y1, face } = sample;
        const id = idOf(setSample.get(content, stage, idx, x0, y0, x1, y1, face ?? null));
        return { ...sample, idx, id };
      });
    },
    prediction(sample, stage, { predicted, probabilities, logits }) {
      const given = logits ? toBlob(logits) : null;
      setPrediction.run(sample, stage, predicted, toBlob(probabilities), given);
    },
    activation(sample, stage, data) {
      setActivation.run(sample, stage, toBlob(data));
    },
    map(sample, stage, target, { raw, height, width }) {
      if (raw.length !== height * width) {
        throw new RangeError(
          `Cannot write a map of ${height}×${width} to the ledger: ${raw.length} values`,
        );
      }
      setMap.run(sample, stage, target, height, width, toBlob(raw));
    },
    scores(sample, stage, target, scores) {
      setScoring.run(sample, stage, target);
      cutScores.run(sample, stage, target);
      for (const { box, importance, share } of scores) {
        setScore.run(sample, stage, target, box, importance, share);
      }
    },
  };
}

/** JSON would write a typed array (landmarks) as an object of its indices. */
function arraysAsLists(_key: string, value: unknown): unknown {
  return value instanceof Float32Array || value instanceof Float64Array ? [...value] : value;
}
