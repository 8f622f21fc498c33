import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { compareRuns, pairBoxes } from "../../src/reproduction/compare.ts";
import type { SectionName } from "../../src/reproduction/drift.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { assertEvery } from "../assert_that.ts";

const TABLES = {
  "images.csv": "path,status,error,sha256,samples\na.png,ok,,11,2\nb.png,failed,not read,,0\n",
  "predictions.csv": "image,sample,x0,y0,x1,y1,class,probability,p_sad,p_happy\n" +
    "a.png,0,0,0,9,9,happy,0.75,0.25,0.75\na.png,1,5,5,9,9,sad,0.5,0.5,0.5\n",
  "boxes.csv": "image,sample,method,class,label,confidence,x0,y0,x1,y1,importance,share\n" +
    "a.png,0,cam,happy,eye,0.9,0,0,10,10,0.3,1\n" +
    "a.png,0,cam,happy,eye,0.8,20,0,30,10,0.7,1\n" +
    "a.png,0,cam,happy,mouth,0.7,0,20,10,30,NaN,0\n" +
    "a.png,1,cam,sad,eye,0.9,0,0,10,10,0.2,0.5\n",
  "matrices/cam.count.csv": "object,sad,happy\neye,0,1\nmouth,0,0\n",
  "matrices/cam.phi.csv": "object,sad,happy\neye,-1,1\nmouth,NaN,NaN\n",
  "paper/joined.csv": "n,v\n1,2\n3,4\n",
};

type Tables = Partial<Record<keyof typeof TABLES | string, string | undefined>>;

/** Compares the tables above with the same after `changes`. */
function compare(changes: Tables, options: { threshold?: number; tolerance?: number } = {}) {
  return withFolder(async (folder) => {
    const write = async (run: string, tables: Tables) => {
      for (const [name, text] of Object.entries(tables)) {
        if (text === undefined) continue;
        await Deno.mkdir(dirname(join(folder, run, name)), { recursive: true });
        await Deno.writeTextFile(join(folder, run, name), text);
      }
    };
    await write("before", TABLES);
    await write("after", { ...TABLES, ...changes });
    const comparison = await compareRuns(join(folder, "before"), join(folder, "after"), {
      tolerance: 1e-5,
      ...options,
    });
    const of = (name: SectionName) => comparison.sections.find((own) => own.name === name)!;
    return { ...comparison, of };
  });
}

const counts = ({ compared, identical, within, drifted, missing, extra }: {
  compared: number;
  identical: number;
  within: number;
  drifted: number;
  missing: number;
  extra: number;
}) => [compared, identical, within, drifted, missing, extra];

Deno.test("equal tables are identical in every value and every byte", async () => {
  const { of, tables, sections, crossings, newColumns, newTables } = await compare({});
  assert.deepEqual(
    Object.fromEntries(sections.map((own) => [own.name, counts(own)])),
    {
      // path and error are not separate values
      images: [6, 6, 0, 0, 0, 0],
      predictions: [16, 16, 0, 0, 0, 0],
      boxes: [24, 24, 0, 0, 0, 0],
      importances: [4, 4, 0, 0, 0, 0],
      matrices: [8, 8, 0, 0, 0, 0],
      "other tables": [4, 4, 0, 0, 0, 0],
    },
  );
  assert.equal(of("matrices").largest, undefined);
  assert.deepEqual(tables.map(({ name }) => name), Object.keys(TABLES).sort());
  assertEvery(tables, ({ before, after }) => before === after && before!.length === 64);
  assert.deepEqual([crossings, newColumns, newTables], [{ count: 0 }, [], []]);
});

Deno.test("a value further away than the tolerance is found where it is", async () => {
  const { of, tables } = await compare({
    "boxes.csv": TABLES["boxes.csv"].replace("0.7,1\n", "0.5,1\n")
      .replace("0.2,0.5", "0.200001,0.5"),
    "matrices/cam.count.csv": TABLES["matrices/cam.count.csv"].replace("mouth,0,0", "mouth,0,1"),
  });
  const importances = of("importances");
  assert.deepEqual(counts(importances), [4, 2, 1, 1, 0, 0]);
  assert.deepEqual(importances.first, {
    place: {
      table: "boxes.csv",
      image: "a.png",
      sample: "0",
      classifier: undefined,
      method: "cam",
      class: "happy",
      object: "eye",
      box: 2,
      column: "importance",
    },
    before: "0.7",
    after: "0.5",
    distance: 0.7 - 0.5,
  });
  assert.deepEqual(counts(of("boxes")), [24, 24, 0, 0, 0, 0]);
  assert.deepEqual(counts(of("matrices")), [8, 7, 0, 1, 0, 0]);
  assert.deepEqual(of("matrices").first?.place, {
    table: "matrices/cam.count.csv",
    method: "cam",
    object: "mouth",
    column: "happy",
  });
  const changed = tables.filter(({ before, after }) => before !== after).map(({ name }) => name);
  assert.deepEqual(changed, ["boxes.csv", "matrices/cam.count.csv"]);
});

Deno.test("an importance within the tolerance that crosses the threshold is told, since it changes counts", async () => {
  const { crossings, of } = await compare({
    "boxes.csv": TABLES["boxes.csv"].replace(",0.3,1\n", ",0.300001,1\n"),
  }, { threshold: 0.3 });
  assert.deepEqual(counts(of("importances")), [4, 3, 1, 0, 0, 0]);
  assert.equal(crossings.count, 1);
  assert.equal(crossings.first?.after, "0.300001");
  assert.equal(crossings.first?.place.object, "eye");
});

Deno.test("boxes that are gone, new or in another order are matched by their overlap", async () => {
  const [header, first, second, mouth, other] = TABLES["boxes.csv"].trimEnd().split("\n");
  const swapped = await compare({
    "boxes.csv": [header, second, first, mouth, other, ""].join("\n"),
  });
  assert.deepEqual(counts(swapped.of("boxes")), [24, 24, 0, 0, 0, 0]);
  assert.deepEqual(counts(swapped.of("importances")), [4, 4, 0, 0, 0, 0]);
  const gone = await compare({ "boxes.csv": [header, second, mouth, other, ""].join("\n") });
  assert.deepEqual(counts(gone.of("boxes")), [18, 18, 0, 0, 6, 0]);
  assert.deepEqual(counts(gone.of("importances")), [3, 3, 0, 0, 1, 0]);
  assert.equal(gone.of("importances").first?.place.box, 1);
  const added = await compare({
    "boxes.csv": [header, first, second, "a.png,0,cam,happy,hat,1,0,0,1,1,0.1,1", mouth, other, ""]
      .join("\n"),
  });
  assert.deepEqual(counts(added.of("importances")), [4, 4, 0, 0, 0, 1]);
});

Deno.test("an image that one of two runs lacks does not shift those after it", async () => {
  const line = (image: string) => `${image},0,0,0,9,9,sad,1,1,0\n`;
  const header = TABLES["predictions.csv"].split("\n")[0] + "\n";
  const gone = await compare({
    "predictions.csv": header + line("0.png") + TABLES["predictions.csv"].slice(header.length) +
      line("z.png"),
  });
  assert.deepEqual(counts(gone.of("predictions")), [16, 16, 0, 0, 0, 16]);
  const none = await compare({ "predictions.csv": header });
  assert.deepEqual(counts(none.of("predictions")), [0, 0, 0, 0, 16, 0]);
  assert.equal(none.of("predictions").first?.place.image, "a.png");
});

Deno.test("new columns and tables are not compared, and lost ones are drift", async () => {
  const { of, newColumns, newTables } = await compare({
    "images.csv":
      "path,status,error,sha256,camera\na.png,ok,,11,x\nb.png,failed,another reason,,x\n",
    "predictions.csv": TABLES["predictions.csv"],
    "more.csv": "a\n1\n",
  });
  assert.deepEqual(newColumns, ["images.csv: camera"]);
  assert.deepEqual(newTables, ["more.csv"]);
  assert.deepEqual(counts(of("images")), [4, 4, 0, 0, 2, 0]);
});

Deno.test("tables of other kinds are compared line by line", async () => {
  const { of } = await compare({ "paper/joined.csv": "n,v\n1,2\n3,5\n6,7\n" });
  assert.deepEqual(counts(of("other tables")), [4, 3, 0, 1, 0, 2]);
  assert.deepEqual(of("other tables").first?.place, {
    table: "paper/joined.csv",
    line: 2,
    column: "v",
  });
});

Deno.test("boxes without overlap stay alone, equal boxes keep their order", () => {
  const box = (x0: number, tag: string) => ({
    x0: `${x0}`,
    y0: "0",
    x1: `${x0 + 10}`,
    y1: "10",
    tag,
  });
  const tags = (pairs: ReturnType<typeof pairBoxes>) =>
    pairs.map(([a, b]) => `${a?.tag ?? "–"}${b?.tag ?? "–"}`);
  assert.deepEqual(tags(pairBoxes([box(0, "a"), box(0, "b")], [box(0, "c"), box(0, "d")])), [
    "ac",
    "bd",
  ]);
  assert.deepEqual(
    tags(pairBoxes([box(0, "a"), box(0, "b")], [box(0, "c"), box(0, "d"), box(50, "e")])),
    ["ac", "bd", "–e"],
  );
  // Overlaps of 1/3 and 9/11 of the union.
  assert.deepEqual(tags(pairBoxes([box(0, "a"), box(20, "b")], [box(5, "c"), box(21, "d")])), [
    "a–",
    "bd",
    "–c",
  ]);
});
