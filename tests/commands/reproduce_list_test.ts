import assert from "node:assert/strict";
import { join } from "node:path";
import { readHistory } from "../../src/reproduction/history.ts";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { LOCK_FILE, lockFolder } from "../../src/run/folder_lock.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { once } from "../once.ts";
import { emocam, emocamProcess } from "./cli.ts";

/** Two runs over one small corpus, and a list of them in a separate folder. */
async function withList(
  use: (made: {
    folder: string;
    pictures: string;
    names: readonly string[];
    list: string;
    check: () => Promise<{ status: number; out: string; err: string }>;
    reports: (run: string) => Promise<string[]>;
  }) => Promise<void>,
  settings: Record<string, unknown> = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { names, boxes } = await makeFaces(pictures, 3, { size: 160, noise: 3, margin: 0.3 });
    for (const [name, method] of [["one", "grad-cam"], ["two", "cam"]]) {
      const { status, err } = await emocam(
        ...["analyze", pictures, "--out", join(folder, name!), "--backend", "native"],
        ...["--samples", "image", "--detector", boxes, "--methods", method!],
      );
      assert.equal(status, 0, err);
    }
    const list = join(folder, "reproduce.json");
    const runs = [{ run: "one", name: "first" }, { run: "two", tolerance: 0 }];
    await Deno.writeTextFile(
      list,
      JSON.stringify({ runs, reports: "checks", keep: 2, ...settings }),
    );
    await use({
      folder,
      pictures,
      names,
      list,
      check: () => emocam("reproduce", "--list", list),
      reports: async (run) =>
        (await Array.fromAsync(Deno.readDir(join(folder, "checks", run)))).map(({ name }) => name)
          .sort(),
    });
  });
}

/** Three checks of both runs, the second with an image changed, and what they left. */
const threeChecks = once(async () => {
  let found!: {
    outcomes: { status: number; out: string; err: string }[];
    changed: string;
    history: Awaited<ReturnType<typeof readHistory>>;
    kept: Record<string, { report: string; verdict: string; files: string[] }[]>;
  };
  await withList(async ({ folder, pictures, names, check, reports }) => {
    const picture = join(pictures, names[1]);
    const original = await Deno.readFile(picture);
    const first = await check();
    await Deno.copyFile(join(pictures, names[0]), picture);
    const second = await check();
    await Deno.writeFile(picture, original);
    const third = await check();
    const keptOf = async (name: string) =>
      (await reports(name)).map((report) => {
        const at = join(folder, "checks", name, report);
        const { verdict } = JSON.parse(Deno.readTextFileSync(join(at, "drift.json")));
        const files = Array.from(Deno.readDirSync(at)).map((file) => file.name).sort();
        return { report: `${name}/${report}`, verdict, files };
      });
    found = {
      outcomes: [first, second, third],
      changed: names[1],
      history: await readHistory(join(folder, "checks")),
      kept: { first: await keptOf("first"), two: await keptOf("two") },
    };
  });
  return found;
});

Deno.test("a first check says one line for each run", async () => {
  const { outcomes: [{ status, out, err }] } = await threeChecks();
  assert.equal(status, 0, err);
  assert.deepEqual(out.trimEnd().split("\n"), [
    "first: identical, the first check",
    "two: identical, the first check",
  ]);
});

Deno.test("a drift is told with how long the runs were identical before and with its cause, and ends with 3", async () => {
  const { outcomes: [, { status, out, err }], changed } = await threeChecks();
  assert.equal(status, 3, err);
  for (const name of ["first", "two"]) {
    assert.match(
      out,
      new RegExp(
        `^${name}: drifted since \\d{4}-\\d\\d-\\d\\d, 1 check; before that the same verdict \\(identical\\) ` +
          `for 1 check; changed on image ${changed} changed from sha256 `,
        "m",
      ),
    );
  }
  assert.match(out, new RegExp(`^  why it could: image ${changed} changed`, "m"));
});

Deno.test("a run that is identical again says so", async () => {
  const { outcomes: [, , { status, out, err }] } = await threeChecks();
  assert.equal(status, 0, err);
  assert.match(out, /^first: identical since .* before that the same verdict \(drifted\)/m);
});

Deno.test("the history has a row for each check of each run, in order of time", async () => {
  const { history } = await threeChecks();
  assert.deepEqual(
    history.map(({ run, verdict, tolerance }) => [run, verdict, tolerance]),
    ["identical", "drifted", "identical"].flatMap((verdict) => [
      ["first", verdict, "0.00001"],
      ["two", verdict, "0"],
    ]),
  );
  assert.deepEqual(history.map(({ time }) => time), history.map(({ time }) => time).sort());
});

Deno.test("a row of the history says where and why a run drifted, how far, and on what it was checked", async () => {
  const { history, changed } = await threeChecks();
  for (const row of history) {
    const drifted = row.verdict === "drifted";
    assert.equal(Number(row.largest_difference) > 1e-5, drifted);
    assert.equal(row.where.includes(changed), drifted, row.where);
    assert.equal(row.reasons.includes(`image ${changed} changed`), drifted);
    assert.equal(row.backend, "native");
    assert.match(row.runtime, /^onnxruntime-node /);
  }
});

Deno.test("as many reports as the list says are kept, each without the repeated run", async () => {
  const { history, kept } = await threeChecks();
  for (const [name, reports] of Object.entries(kept)) {
    // Two are kept of three.
    assert.deepEqual(
      reports.map(({ report }) => report),
      history.filter(({ run }) => run === name).slice(1).map(({ report }) => report),
    );
    assert.deepEqual(reports.map(({ verdict }) => verdict), ["drifted", "identical"]);
    for (const { files } of reports) {
      assert.deepEqual(files, [RECORD_FILE, "drift.html", "drift.json"]);
    }
  }
});

Deno.test("a run that is gone or whose image is gone is a separate verdict, and the others are checked", async () => {
  await withList(async ({ folder, pictures, names, check, reports }) => {
    await Deno.rename(join(folder, "one"), join(folder, "moved"));
    const first = await check();
    assert.equal(first.status, 4, first.err);
    assert.match(
      first.out,
      /^first: missing, the first check\n {2}Cannot find a run: .*\ntwo: identical/,
    );
    assert.deepEqual(await reports("first"), []);
    await Deno.rename(join(folder, "moved"), join(folder, "one"));
    await Deno.remove(join(pictures, names[0]));
    assert.equal((await check()).status, 4);
    const history = await readHistory(join(folder, "checks"));
    assert.deepEqual(history.map(({ verdict }) => verdict), [
      ...["missing", "identical", "missing", "missing"],
    ]);
    assert.equal(history[3].reasons, `missing: image ${names[0]}`);
    assert.equal((await reports("first")).length, 1);
  });
});

Deno.test("a check that was killed leaves a lock, which the next one breaks with a message", async () => {
  await withList(async ({ folder, list, check, reports }) => {
    const child = emocamProcess(["reproduce", "--list", list], { cwd: folder }).spawn();
    // Killed while a run is being repeated.
    let told = "";
    for await (const chunk of child.stderr) {
      told += new TextDecoder().decode(chunk);
      if (told.includes("3 images;")) break;
    }
    // It can neither continue nor give its lock back while others look.
    child.kill("SIGSTOP");
    const busy = await check();
    assert.equal(busy.status, 2, busy.err);
    assert.match(
      busy.err,
      new RegExp(
        `^Cannot write to .*checks: process ${child.pid} on .* \\(reproduce --list`,
      ),
    );
    child.kill("SIGKILL");
    await child.stdout.cancel();
    await child.status;
    assert.equal((await reports("first")).length, 1);
    const lock = JSON.parse(await Deno.readTextFile(join(folder, "checks", LOCK_FILE)));
    assert.equal(lock.pid, child.pid);

    const next = await check();
    assert.equal(next.status, 0, next.err);
    assert.match(
      next.err,
      new RegExp(
        `^took over the lock of process ${child.pid} on .*, which ended without releasing it`,
      ),
    );
    // What it had begun is gone; the history has whole checks only.
    const history = await readHistory(join(folder, "checks"));
    assert.deepEqual(history.map(({ run }) => run), ["first", "two"]);
    assert.deepEqual(await reports("first"), [history[0].report.slice("first/".length)]);
    assert.equal(await Deno.readTextFile(join(folder, "checks", LOCK_FILE)), "");
  });
});

Deno.test("two checks never write one folder, nor do a check and a single run", async () => {
  await withList(async ({ folder, check }) => {
    await Deno.mkdir(join(folder, "checks"));
    {
      using _lock = lockFolder(join(folder, "checks"), "something");
      assert.equal((await check()).status, 2);
      const { status, err } = await emocam(
        ...["reproduce", join(folder, "one"), "--out", join(folder, "checks")],
      );
      assert.equal(status, 2);
      assert.match(err, /^Cannot write to .*checks: process \d+ on .* \(something, since /);
    }
    assert.deepEqual(await readHistory(join(folder, "checks")), []);
    const all = await Promise.all([1, 2].map(() => runChild(folder)));
    assert.deepEqual(all.map(({ code }) => code).sort(), [0, 2]);
    assert.equal((await readHistory(join(folder, "checks"))).length, 2);
  });
});

async function runChild(folder: string): Promise<Deno.CommandOutput> {
  return await emocamProcess(["reproduce", "--list", join(folder, "reproduce.json")]).output();
}

Deno.test("a list can say other options, and where images have moved", async () => {
  await withList(
    async ({ folder, pictures, check }) => {
      await Deno.rename(pictures, join(folder, "moved"));
      const { status, out } = await check();
      assert.equal(status, 3);
      assert.match(out, /^one: identical, the first check$/m);
      assert.match(out, /why it could: setting salience threshold changed from 0\.3 to 0\.9/);
    },
    {
      runs: [
        { run: "one", images: "moved" },
        { run: "two", images: "moved", set: { threshold: 0.9 } },
      ],
    },
  );
});
