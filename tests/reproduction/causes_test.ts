import assert from "node:assert/strict";
import { causeText, driftCauses } from "../../src/reproduction/causes.ts";
import type { ManifestJson } from "../../src/ledger/manifest.ts";
import { assertEvery } from "../assert_that.ts";

const MANIFEST: ManifestJson = {
  emocam: "0.1.0",
  commit: "a".repeat(40),
  arguments: { paths: ["x"], threshold: 0.3 },
  settings: { threshold: 0.3, methods: { "rise": { masks: 100 } } },
  versions: { emocam: "0.1.0", deno: "2.9.6", runtime: "onnxruntime-node 1.30.0" },
  backend: { name: "native", reason: "no GPU adapter" },
  classifier: {
    card: { name: "net", sha256: "11", note: "a note", input: { mean: [0.5] } },
    key: {
      model: "11",
      input: { mean: [0.5] },
      backend: "native",
      runtime: "onnxruntime-node 1.30.0",
      batch: 8,
    },
    receptiveField: null,
  },
  detector: { name: "face-parts", key: { faces: { sha256: "22" }, landmarks: { sha256: "33" } } },
  stages: { predictions: "44" },
  machine: { processor: "A", cores: 2 },
  environment: {},
  summary: { images: 2 },
  images: [
    { path: "a.png", sha256: "55", status: "ok" },
    { path: "b.png", sha256: "66", status: "ok" },
  ],
};

/** The manifest with parts replaced, by path: `a.b.c`. */
function changed(changes: Record<string, unknown>): ManifestJson {
  const copy = structuredClone(MANIFEST) as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    let at = copy;
    for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
    if (value === undefined) delete at[keys.at(-1)!];
    else at[keys.at(-1)!] = value;
  }
  return copy as ManifestJson;
}

const texts = (after: ManifestJson, altered: string[] = []) =>
  driftCauses(MANIFEST, after, altered).map((cause) =>
    `${cause.input ? "! " : ""}${causeText(cause)}`
  );

Deno.test("equal manifests give no cause, whatever a run took or found", () => {
  assert.deepEqual(
    texts(changed({ "summary.images": 3, "stages.predictions": "45", "arguments.threshold": 1 })),
    [],
  );
});

Deno.test("each kind of change is told once, inputs first and marked", () => {
  const cases: [Record<string, unknown>, string[]][] = [
    [{ "settings.threshold": 0.5 }, ["! setting salience threshold changed from 0.3 to 0.5"]],
    [{ "settings.methods": { rise: { masks: 50 } } }, [
      "! setting methods.rise.masks changed from 100 to 50",
    ]],
    // The card and the key hold the same hash: one cause.
    [{ "classifier.card.sha256": "12", "classifier.key.model": "12" }, [
      "! model: classifier.card.sha256 changed from 11 to 12",
    ]],
    [{ "detector.key.landmarks.sha256": "34" }, [
      "! model: detector.key.landmarks.sha256 changed from 33 to 34",
    ]],
    [{ "classifier.key.input.mean": [0.4], "classifier.card.input.mean": [0.4] }, [
      "! model: classifier.key.input.mean changed from [0.5] to [0.4]",
    ]],
    [{ "classifier.card.note": "other" }, ["classifier.card.note changed from a note to other"]],
    [{
      "versions.runtime": "onnxruntime-node 1.31.0",
      "classifier.key.runtime": "onnxruntime-node 1.31.0",
    }, ["runtime changed from onnxruntime-node 1.30.0 to onnxruntime-node 1.31.0"]],
    [{
      "backend.name": "webgpu",
      "backend.adapter": "llvmpipe",
      "classifier.key.backend": "webgpu",
    }, [
      "backend changed from native to webgpu",
      "graphics adapter is new: llvmpipe",
    ]],
    [{ commit: "b".repeat(40) }, [
      `code changed from ${"a".repeat(40)} to ${"b".repeat(40)}`,
    ]],
    [{ "machine.processor": "B" }, ["machine: processor changed from A to B"]],
    [{ "environment.OMP_NUM_THREADS": "1" }, ["environment: OMP_NUM_THREADS is new: 1"]],
    [{ images: [{ path: "a.png", sha256: "57", status: "ok" }], "machine.cores": 4 }, [
      "! image a.png changed from sha256 55 to sha256 57",
      "! image b.png is gone (was sha256 66)",
      "machine: cores changed from 2 to 4",
    ]],
  ];
  for (const [changes, expected] of cases) assert.deepEqual(texts(changed(changes)), expected);
});

Deno.test("what an older manifest did not record is not a cause", () => {
  const old = changed({
    settings: undefined,
    machine: undefined,
    environment: undefined,
    commit: undefined,
  });
  assert.deepEqual(driftCauses(old, MANIFEST), []);
  assert.deepEqual(driftCauses(MANIFEST, old).map(causeText), [
    `code is gone (was ${"a".repeat(40)})`,
  ]);
});

Deno.test("altered tables of the first run are told", () => {
  assert.deepEqual(texts(MANIFEST, ["boxes.csv"]), [
    "boxes.csv of the first run was changed after it was written",
  ]);
});

Deno.test("of very many changed images some are listed and the others counted", () => {
  const images = (sha256: string) =>
    Array.from({ length: 1000 }, (_, i) => ({ path: `${i}.png`, sha256, status: "ok" }));
  const causes = driftCauses(changed({ images: images("1") }), changed({ images: images("2") }));
  assert.equal(causes.length, 21);
  assert.match(causeText(causes.at(-1)!), /980 more images/);
  assertEvery(causes, ({ input }) => input);
});
