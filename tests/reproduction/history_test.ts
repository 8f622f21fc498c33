import assert from "node:assert/strict";
import { join } from "node:path";
import {
  appendHistory,
  HISTORY_FILE,
  historyLine,
  type HistoryRow,
  readHistory,
} from "../../src/reproduction/history.ts";
import { withFolder } from "../corpus/face_corpus.ts";

const ROW: HistoryRow = {
  time: "2026-01-05T04:17:00.000Z",
  run: "mine",
  verdict: "identical",
  largest_difference: "0",
  tolerance: "0.00001",
  where: "",
  reasons: "",
  inputs: "",
  emocam: "0.1.0",
  commit: "aa",
  deno: "2.9.6",
  runtime: "onnxruntime-node 1.30.0",
  backend: "native",
  adapter: "",
  machine: "A",
  report: "mine/x",
};
const WEEK = 7 * 86_400_000;

/** One check a week, `verdicts` in order. */
function weekly(...rows: Partial<HistoryRow>[]): HistoryRow[] {
  return rows.map((row, i) => ({
    ...ROW,
    time: new Date(Date.parse(ROW.time) + i * WEEK).toISOString(),
    ...row,
  }));
}

Deno.test("a history says since when a run has its verdict, and on what that changed", () => {
  const same = Array.from({ length: 13 }, () => ({}));
  const on = (changes: Partial<HistoryRow>) => historyLine(weekly(...same, changes));
  assert.equal(historyLine(weekly({})), "identical, the first check");
  assert.equal(
    historyLine(weekly(...same)),
    "the same verdict (identical) for 12 weeks, 13 checks",
  );
  assert.equal(
    on({ verdict: "drifted", runtime: "onnxruntime-node 1.31.0" }),
    "drifted since 2026-04-06, 1 check; before that the same verdict (identical) for 12 weeks, 13 checks; " +
      "changed on runtime onnxruntime-node 1.31.0 (was onnxruntime-node 1.30.0)",
  );
  assert.match(
    on({ verdict: "within tolerance", backend: "webgpu", adapter: "llvmpipe" }),
    /changed on backend webgpu \(was native\), adapter llvmpipe \(was none\)$/,
  );
  assert.match(
    on({
      verdict: "drifted",
      reasons: "image a.png changed from sha256 1 to sha256 2; deno changed from 2.9.6 to 3",
      inputs: '["image a.png changed from sha256 1 to sha256 2"]',
      deno: "3",
    }),
    /changed on image a\.png changed from sha256 1 to sha256 2, deno 3 \(was 2\.9\.6\)$/,
  );
  assert.match(on({ verdict: "drifted" }), /changed on nothing that is recorded$/);
});

Deno.test("streaks end at another verdict, and short ones are told in hours and days", () => {
  const at = (hours: number, verdict: string) => ({
    ...ROW,
    verdict,
    time: new Date(Date.parse(ROW.time) + hours * 3_600_000).toISOString(),
  });
  assert.equal(
    historyLine([at(0, "identical"), at(1, "drifted"), at(2, "identical"), at(5, "identical")]),
    "identical since 2026-01-05, 2 checks; before that the same verdict (drifted) for 1 check; " +
      "changed on nothing that is recorded",
  );
  assert.equal(
    historyLine([at(0, "drifted"), at(25, "drifted")]),
    "the same verdict (drifted) for 1 day, 2 checks",
  );
  assert.equal(
    historyLine([at(0, "drifted"), at(3.5, "drifted")]),
    "the same verdict (drifted) for 3 hours, 2 checks",
  );
});

Deno.test("rows are added to the table, quoted where they must be, and a foreign table is refused", async () => {
  await withFolder(async (folder) => {
    assert.deepEqual(await readHistory(folder), []);
    const odd = { ...ROW, run: 'a, "b"\nc', reasons: "=1+1" };
    await appendHistory(folder, [ROW]);
    await appendHistory(folder, [odd, ROW]);
    assert.deepEqual(await readHistory(folder), [ROW, odd, ROW]);
    const header = (await Deno.readTextFile(join(folder, HISTORY_FILE))).split("\n")[0];
    assert.equal(header, Object.keys(ROW).join(","));
    await Deno.writeTextFile(join(folder, HISTORY_FILE), "a,b\n1,2\n");
    await assert.rejects(appendHistory(folder, [ROW]), /Cannot continue the history .*lacks/);
    assert.equal(await Deno.readTextFile(join(folder, HISTORY_FILE)), "a,b\n1,2\n");
  });
});
