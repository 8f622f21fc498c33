import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { once } from "../once.ts";
import { emocam } from "./cli.ts";
import { assertAtLeast, assertEvery, assertMore } from "../assert_that.ts";

const RUN = ["--methods", "grad-cam,guided-backprop,eigen-cam", "--backend", "native"];

/** A run that is not checked, a check of it, the run again, and again for another target. */
const checkedRun = once(async () => {
  const out = await Deno.makeTempDir();
  try {
    const report = () => Deno.readTextFile(join(out, "report.html"));
    const analyze = ["analyze", ...RUN, "--limit", "3", "--out", out];
    const plain = { ...await emocam(...analyze), report: await report() };
    const check = await emocam("check", ...RUN, "--out", out, "--json");
    const again = { ...await emocam(...analyze), report: await report() };
    const run = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    const other = {
      ...await emocam(...analyze, "--target", "probability"),
      report: await report(),
    };
    return { plain, check, again, run, other };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

/** What `check --json` says. */
async function checkedAxioms() {
  const { check } = await checkedRun();
  return (JSON.parse(check.out) as {
    axioms: { method: string; axiom: string; verdict: string; value?: number }[];
  }).axioms;
}

Deno.test("the report of a run that was not checked says so and flags no method", async () => {
  const { plain } = await checkedRun();
  assert.equal(plain.status, 0, plain.err);
  assert.match(plain.report, /Not checked for these methods on this classifier/);
  assert.doesNotMatch(plain.report, /\(fails /);
});

Deno.test("check ends with 1 where a method that is not a control fails", async () => {
  const { check } = await checkedRun();
  // Guided backpropagation is not a function of the mirrored picture on this classifier.
  assert.equal(check.status, 1, check.err);
  const axioms = await checkedAxioms();
  const failed = axioms.filter(({ verdict }) => verdict === "fails");
  assert.deepEqual(failed.filter(({ method }) => method !== "eigen-cam"), [
    axioms.find(({ method, axiom }) => method === "guided-backprop" && axiom === "mirror"),
  ]);
});

Deno.test("a run after a check says which methods fail, and its report flags them in its tables and matrices", async () => {
  const { again } = await checkedRun();
  assert.match(again.out, /^guided-backprop fails on this classifier: mirror/m);
  assert.match(again.report, /guided-backprop \(fails mirror\)/);
  // In the matrices as well as in the table of axioms.
  assertMore(again.report.split("guided-backprop (fails mirror)").length, 3);
});

Deno.test("a control is not flagged: it is there to fail", async () => {
  const { again } = await checkedRun();
  assert.match(again.report, /eigen-cam \(control\)/);
  assert.doesNotMatch(again.report, /eigen-cam \(fails/);
});

Deno.test("run.json keeps every verdict", async () => {
  const { run } = await checkedRun();
  assert.equal(run.axioms.length, (await checkedAxioms()).length);
});

Deno.test("verdicts on the logit say nothing of the probability", async () => {
  const { other } = await checkedRun();
  assert.doesNotMatch(other.out, /fails on this classifier/);
  assert.match(other.report, /Not checked for these methods on this classifier/);
});

/** A run with its check, and the run again when the file of verdicts is damaged. */
const damagedVerdicts = once(async () => {
  const out = await Deno.makeTempDir();
  try {
    const args = ["analyze", "--methods", "grad-cam", "--backend", "native", "--limit", "1"];
    const found = await emocam(...args, "--check", "--out", out);
    const kept = JSON.parse(await Deno.readTextFile(join(out, "axioms.json")));
    await Deno.writeTextFile(join(out, "axioms.json"), "{");
    return { found, kept, broken: await emocam(...args, "--out", out) };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("analyze --check checks first, and keeps the verdicts by what they depend on", async () => {
  const { found, kept } = await damagedVerdicts();
  assert.equal(found.status, 0, found.err);
  assert.match(found.err, /^grad-cam: same as CAM: holds$/m);
  assertAtLeast(kept.length, 4);
  assertEvery(kept, ({ key }: { key: string }) => key.length === 64);
});

Deno.test("a damaged file of verdicts is named, with what to do", async () => {
  const { broken } = await damagedVerdicts();
  assert.equal(broken.status, 2);
  assert.match(broken.err, /^Cannot read .*axioms\.json: .*; remove it, and check again$/m);
});

Deno.test("check writes small figures with an exponent, and says what the kept verdicts are for", async () => {
  const out = await Deno.makeTempDir();
  try {
    const args = ["--methods", "grad-cam", "--backend", "native", "--batch", "1", "--out", out];
    const found = await emocam("check", ...args, "--class", "happy");
    assert.equal(found.status, 0, found.err);
    assert.match(
      found.out,
      /^mini-xception, layer maps, target logit, class happy, 1 sample, backend native$/m,
    );
    assert.match(found.out, /^grad-cam +same as CAM +\d\.\d\de-\d+ +≤ 0\.0001 +holds/m);
    assert.match(found.out, /^grad-cam +mirror +0\.\d{3} +≥ 0\.9 +holds/m);
    assert.match(found.out, /^The verdicts are stored in .*; the next analyze with this --out /m);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("check --class checks that class of all samples", async () => {
  const args = ["check", "--methods", "grad-cam", "--backend", "native", "--batch", "1"];
  const figures = async (name: string) => {
    const { out, err } = await emocam(...args, "--class", name, "--json");
    assert.match(err, /^grad-cam: mirror: /m);
    const { axioms } = JSON.parse(out) as { axioms: { axiom: string; value?: number }[] };
    return axioms.map(({ axiom, value }) => `${axiom} ${value}`);
  };
  const happy = await figures("happy"), angry = await figures("angry");
  assert.notDeepEqual(happy, angry);
});

Deno.test("check --cascade prints the table and keeps it in a run's folder", async () => {
  const out = await Deno.makeTempDir();
  try {
    const args = ["check", "--methods", "grad-cam,sobel", "--backend", "native", "--batch", "1"];
    const found = await emocam(...args, "--cascade", "--out", out);
    assert.match(found.out, /^sobel +1\.00 +1\.00 +1\.00 +1\.00 +1\.00$/m);
    const rows = parse(await Deno.readTextFile(join(out, "cascade.csv")), { columns: true }) as {
      method: string;
      layers: string;
      correlation: string;
    }[];
    const ofMethod = (name: string) => rows.filter(({ method }) => method === name);
    assert.deepEqual(ofMethod("grad-cam").map(({ layers }) => layers), ["1", "2", "4", "8", "13"]);
    assertEvery(ofMethod("sobel"), ({ correlation }) => Math.abs(+correlation - 1) < 1e-6);
    // Its last step is the axiom's figure.
    const verdicts = JSON.parse(await Deno.readTextFile(join(out, "axioms.json"))) as {
      method: string;
      axiom: string;
      value: number;
    }[];
    const own = verdicts.find((v) => v.method === "grad-cam" && v.axiom === "randomisation")!;
    assert.equal(+ofMethod("grad-cam").at(-1)!.correlation, own.value);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
