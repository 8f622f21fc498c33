/** A small corpus for tests of the ledger: everything in it follows from the batch's number, so that any row can be checked. */

import type { Ledger } from "../../src/ledger/ledger.ts";
import { sha256 } from "../../src/base/json.ts";

export const IMAGES = 3, BOXES = 4, CLASSES = 5, MAP = [3, 2] as const;

/** The stages a run of the fixture writes under. */
export function fixtureStages(ledger: Ledger) {
  const detection = ledger.stage("detections", { detector: { sha256: sha256("detector") } });
  const sampling = ledger.stage("samples", { crop: "none" });
  const forward = ledger.stage("forward", { model: sha256("model") });
  const maps = ["grad-cam", "eigen-cam"].map((method) =>
    ledger.stage(`map ${method}`, { method, forward: forward.fingerprint })
  );
  const scores = maps.map((map, at) =>
    ledger.stage(`scores ${at}`, { map: map.fingerprint, boxes: detection.fingerprint })
  );
  return { detection, sampling, forward, maps, scores };
}

export const pathOf = (batch: number, image: number) => `batch ${batch}/image ${image}.jpg`;
export const contentOf = (batch: number, image: number) => sha256(pathOf(batch, image));
export const importanceOf = (batch: number, image: number, method: number, box: number) =>
  (batch * 7 + image * 5 + method * 3 + box * 2) % 11 / 10;
export const predictedOf = (batch: number, image: number) => (batch + image) % CLASSES;

/** Writes one batch of images with all that belongs to them, in one transaction. */
export function writeBatch(ledger: Ledger, run: number, batch: number): void {
  const stages = fixtureStages(ledger);
  ledger.commit((writer) => {
    for (let image = 0; image < IMAGES; image++) {
      const content = contentOf(batch, image);
      writer.image(run, batch * IMAGES + image, {
        path: pathOf(batch, image),
        status: "ok",
        sha256: content,
        bytes: 100 + batch,
        width: 64,
        height: 48,
        format: "jpeg",
        orientation: 1,
        annotation: { batch: String(batch) },
      });
      const boxes = writer.detection(content, stages.detection.id, {
        faces: [{ x0: 1 }],
        boxes: Array.from({ length: BOXES }, (_, box) => ({
          label: box % 2 ? "tree" : "dog",
          confidence: .5,
          x0: box,
          y0: 0,
          x1: box + 1,
          y1: batch + 1,
        })),
      });
      const [sample] = writer.sampling(content, stages.sampling.id, [
        { x0: 0, y0: 0, x1: 64, y1: 48 },
      ]);
      const predicted = predictedOf(batch, image);
      writer.prediction(sample!.id, stages.forward.id, {
        predicted,
        probabilities: new Float32Array(CLASSES).fill(1 / CLASSES),
        logits: new Float32Array(CLASSES).fill(batch),
      });
      writer.activation(sample!.id, stages.forward.id, new Float32Array(1000).fill(batch));
      for (const [method, map] of stages.maps.entries()) {
        const raw = new Float32Array(MAP[0] * MAP[1]).fill(batch + method);
        writer.map(sample!.id, map.id, predicted, { raw, height: MAP[0], width: MAP[1] });
        const scores = boxes.map((box, at) => ({
          box: box.id,
          importance: importanceOf(batch, image, method, at),
          share: 1,
        }));
        writer.scores(sample!.id, stages.scores[method].id, predicted, scores);
      }
    }
  });
}
