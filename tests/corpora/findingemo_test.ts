import assert from "node:assert/strict";
import { UsageError } from "../../src/base/errors.ts";
import { readFindingEmo } from "../../src/corpora/findingemo/annotations.ts";
import { corpusPath } from "../../src/corpora/findingemo/_rows.ts";
import { readUrlList } from "../../src/corpora/findingemo/addresses.ts";
import { assertExcludes } from "../assert_that.ts";

const HEADER =
  "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime";
const ROW =
  '7,u1,/Run_2/Sad people fair/a b.jpg,"Text,NA","Adults,Young Adults",-3,6,Joy,"BodyLanguage,Staging",2,2023-07-04 12:55:32.182805';

const table = (...rows: string[]) => [HEADER, ...rows].join("\n") + "\n";

const refusedWith = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UsageError, String(error));
  assert.match(error.message, pattern);
  assertExcludes(error.message, "\n");
  return true;
};

Deno.test("every field of an annotation is read, several values apart", () => {
  const [row] = readFindingEmo(table(ROW), "x.ann");
  assert.deepEqual(row!.annotation, {
    index: 7,
    user: "u1",
    image: "Run_2/Sad people fair/a b.jpg",
    tags: ["Text", "NA"],
    age: ["Adults", "Young Adults"],
    valence: -3,
    arousal: 6,
    emotion: "Joy",
    factors: ["BodyLanguage", "Staging"],
    ambiguity: 2,
    datetime: "2023-07-04 12:55:32.182805",
  });
  assert.equal(row!.image, "Run_2/Sad people fair/a b.jpg");
  assert.deepEqual(Object.keys(row!.columns), HEADER.split(","));
  assert.equal(row!.columns.tags, "Text,NA");
  assert.equal(row!.columns.image_path, "/Run_2/Sad people fair/a b.jpg");
});

Deno.test("columns in another order, further ones, numbers as pandas writes them, and repeated images are fine", () => {
  const rows = readFindingEmo(
    "\uFEFFarousal,valence,ambiguity,index,user,image_path,tags,age,emotion,dec_factors,datetime,note\r\n" +
      "0.0,-2.0,3.0,1,u,Run_1/a.jpg,,,Digust,,d,hello\r\n" +
      "\r\n" +
      "1,+2,0,2,v,/Run_1/a.jpg,,,Joy,,d,\r\n",
    "x",
  );
  assert.deepEqual(
    rows.map(({ annotation: { image, valence, arousal, ambiguity, tags } }) => [
      image,
      valence,
      arousal,
      ambiguity,
      tags,
    ]),
    [["Run_1/a.jpg", -2, 0, 3, []], ["Run_1/a.jpg", 2, 1, 0, []]],
  );
  assert.equal(rows[0].columns.note, "hello");
});

Deno.test("a malformed table is refused with the line and the value", () => {
  const change = (column: string, value: string) => {
    const at = HEADER.split(",").indexOf(column);
    const fields = ["7", "u", "/a/b.jpg", "T", "A", "1", "2", "Joy", "F", "3", "d"];
    fields[at] = value;
    return table(ROW, fields.join(","));
  };
  const cases: [string, RegExp][] = [
    ["", /the column index, user, .* is missing/],
    [HEADER.replace("ambiguity,", "") + "\n", /line 1: the column ambiguity is missing/],
    [HEADER + ",user\n", /line 1: the column "user" occurs twice/],
    [HEADER + "\n", /it has no rows/],
    [table(ROW, "1,2,3"), /line 3: 3 fields, the header has 11/],
    [table(ROW.replaceAll('"', "")), /line 2: 14 fields/],
    [table('1,"u'), /Quote/],
    [change("valence", "4"), /line 3: valence is "4", not a whole number from -3 to 3/],
    [change("valence", "1.5"), /valence is "1.5"/],
    [change("valence", ""), /valence is ""/],
    [change("valence", "0x1"), /valence is "0x1"/],
    [change("arousal", "-1"), /arousal is "-1", not a whole number from 0 to 6/],
    [change("ambiguity", "NaN"), /ambiguity is "NaN"/],
    [change("index", "-5"), /index is "-5", not a whole number from 0/],
    [change("emotion", ""), /line 3: emotion is empty/],
    [change("user", " "), /user is empty/],
    [
      change("image_path", "/../x.jpg"),
      /line 3: image_path is "\/\.\.\/x\.jpg": it leads elsewhere/,
    ],
    [change("image_path", ""), /image_path is "": it is empty/],
  ];
  for (const [text, pattern] of cases) {
    assert.throws(() => readFindingEmo(text, "f.ann"), refusedWith(pattern), text);
    assert.throws(() => readFindingEmo(text, "f.ann"), /Cannot read annotations from f\.ann/);
  }
});

Deno.test("paths that leave the corpus, or cannot be files, are refused", () => {
  assert.deepEqual(corpusPath("/Run_1/a  b/é..jpg"), { path: "Run_1/a  b/é..jpg" });
  assert.deepEqual(corpusPath("a.jpg"), { path: "a.jpg" });
  for (
    const path of [
      ...["", "/", "..", "/..", "a/../b.jpg", "./a.jpg", "a/.", "//etc/passwd", "a//b.jpg", "a/"],
      ...["..\\a.jpg", "a\\b.jpg", "C:/a.jpg", "c:a.jpg", "a\0b.jpg", "a\nb.jpg", "x".repeat(256)],
    ]
  ) {
    assert.ok("wrong" in corpusPath(path), JSON.stringify(path));
  }
});

Deno.test("the list of addresses is read from JSON and from CSV: several for an image, in their order", () => {
  const rows = [
    { rel_path: "/Run_1/a.jpg", idx_url: 2, url: "https://two/a.jpg" },
    { rel_path: "/Run_1/b.jpg", idx_url: 1, url: "https://one/b.jpg" },
    { rel_path: "/Run_1/a.jpg", idx_url: 1, url: "https://one/a.jpg" },
    { rel_path: "/Run_1/a.jpg", idx_url: 10, url: "https://ten/a,b.jpg" },
    { rel_path: "/Run_1/a.jpg", idx_url: 11, url: "https://two/a.jpg" },
    { rel_path: "/Run_1/c.jpg", idx_url: 1, url: "" },
  ];
  const expected = [
    {
      path: "Run_1/a.jpg",
      urls: ["https://one/a.jpg", "https://two/a.jpg", "https://ten/a,b.jpg"],
    },
    { path: "Run_1/b.jpg", urls: ["https://one/b.jpg"] },
    { path: "Run_1/c.jpg", urls: [""] },
  ];
  assert.deepEqual(readUrlList(JSON.stringify(rows), "x.json"), expected);
  const csv = "rel_path,idx_url,url\n" +
    rows.map((row) => `${row.rel_path},${row.idx_url},"${row.url}"`).join("\n");
  assert.deepEqual(readUrlList(csv, "x.csv"), expected);
});

Deno.test("a list with path tricks or of another form is refused as a whole", () => {
  const cases: [string, RegExp][] = [
    ["", /expected rel_path,idx_url,url/],
    ["[]", /it is empty/],
    ["[{", /it is not JSON/],
    ["{}", /expected array/],
    ['[{"rel_path": "/a.jpg"}]', /, 0\.url: .*string/],
    ['[{"rel_path": "/a.jpg", "idx_url": "x", "url": "u"}]', /, entry 0: idx_url is "x"/],
    [
      '[{"rel_path": "/a.jpg", "url": "u"}, {"rel_path": "/../../etc/x", "url": "u"}]',
      /, entry 1: rel_path is "\/\.\.\/\.\.\/etc\/x": it leads elsewhere/,
    ],
    [
      "rel_path,idx_url,url\n//etc/x,1,u\n",
      /, line 2: rel_path is "\/\/etc\/x": it has an empty part/,
    ],
    ["path,url\na,b\n", /expected rel_path,idx_url,url/],
    ["rel_path,idx_url,url\na.jpg,1\n", /, line 2: 2 fields, the header has 3/],
  ];
  for (const [text, pattern] of cases) {
    assert.throws(() => readUrlList(text, "list"), refusedWith(pattern), text);
  }
});
