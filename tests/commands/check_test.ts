import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { emocam } from "./cli.ts";
import { assertAtLeast, assertEvery, assertMore } from "../assert_that.ts";

const RUN = ["--methods", "grad-cam,guided-backprop,eigen-cam", "--backend", "native"];

Deno.test({
  name:
    "a run keeps the verdicts on its methods, and its report flags those that fail, as long as they hold",
  async fn() {
    const out = await Deno.makeTempDir();
    try {
      const report = () => Deno.readTextFile(join(out, "report.html"));
      const plain = await emocam("analyze", ...RUN, "--limit", "3", "--out", out);
      assert.equal(plain.status, 0, plain.err);
      assert.match(await report(), /Not checked for these methods on this classifier/);
      assert.doesNotMatch(await report(), /\(fails /);

      const checked = await emocam("check", ...RUN, "--out", out, "--json");
      // Guided backpropagation is no function of the mirrored picture on this classifier: the exit status says so.
      assert.equal(checked.status, 1, checked.err);
      const { axioms } = JSON.parse(checked.out) as {
        axioms: { method: string; axiom: string; verdict: string; value?: number }[];
      };
      const failed = axioms.filter(({ verdict }) => verdict === "fails");
      assert.deepEqual(failed.filter(({ method }) => method !== "eigen-cam"), [
        axioms.find(({ method, axiom }) => method === "guided-backprop" && axiom === "mirror"),
      ]);

      const again = await emocam("analyze", ...RUN, "--limit", "3", "--out", out);
      assert.match(again.out, /^guided-backprop fails on this classifier: mirror/m);
      const page = await report();
      assert.match(page, /guided-backprop \(fails mirror\)/);
      // A control is there to fail.
      assert.match(page, /eigen-cam \(control\)/);
      assert.doesNotMatch(page, /eigen-cam \(fails/);
      // In the matrices as well as in the table of axioms.
      assertMore(page.split("guided-backprop (fails mirror)").length, 3);
      const run = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
      assert.equal(run.axioms.length, axioms.length);

      // Verdicts on the logit say nothing of the probability.
      const other = await emocam(
        "analyze",
        ...RUN,
        "--limit",
        "3",
        "--target",
        "probability",
        "--out",
        out,
      );
      assert.doesNotMatch(other.out, /fails on this classifier/);
      assert.match(await report(), /Not checked for these methods on this classifier/);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});

Deno.test("analyze --check checks first, and a damaged file of verdicts is named", async () => {
  const out = await Deno.makeTempDir();
  try {
    const args = ["analyze", "--methods", "grad-cam", "--backend", "native", "--limit", "1"];
    const found = await emocam(...args, "--check", "--out", out);
    assert.equal(found.status, 0, found.err);
    assert.match(found.err, /^grad-cam: same as CAM: holds$/m);
    const kept = JSON.parse(await Deno.readTextFile(join(out, "axioms.json")));
    assertAtLeast(kept.length, 4);
    assertEvery(kept, ({ key }: { key: string }) => key.length === 64);
    await Deno.writeTextFile(join(out, "axioms.json"), "{");
    const broken = await emocam(...args, "--out", out);
    assert.equal(broken.status, 2);
    assert.match(broken.err, /^Cannot read .*axioms\.json: .*; remove it, and check again$/m);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
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
    assert.match(found.out, /^The verdicts are kept in .*: give analyze with this --out again, /m);
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
