import assert from "node:assert/strict";
import {
  columnAt,
  CsvFault,
  type CsvTable,
  readCsvTable,
  repeatedColumn,
  withPoint,
} from "../../src/base/csv_table.ts";

/** A table as lists of texts. */
const rowsOf = ({ columns, rows }: CsvTable) => [columns, ...rows.map(({ fields }) => fields)];

const WANTED = [["path", "emotion"], ["a.png", "joy, but"], ["b.png", "fear"]];

/** The same table as different programs write it. */
const WRITTEN: Readonly<Record<string, string>> = {
  "RFC 4180": 'path,emotion\r\na.png,"joy, but"\r\nb.png,fear\r\n',
  "with blanks": '\ufeff\n path , emotion \n\n"a.png" ," joy, but "\nb.png,fear\n\n',
  "Excel in German": "path;emotion\r\na.png;joy, but\r\nb.png;fear\r\n",
  "Excel with sep": "sep=;\r\npath;emotion\r\na.png;joy, but\r\nb.png;fear\r\n",
  "Excel with empty columns and rows":
    'path,emotion,,\r\na.png,"joy, but",,\r\nb.png,fear,,\r\n,,,\r\n,,,\r\n',
  "rows longer by empty fields": 'path,emotion\na.png,"joy, but",\nb.png,fear,\n',
  "Unicode text": 'path\temotion\r\na.png\t"joy, but"\r\nb.png\tfear\r\n',
  "Excel on old Macs": 'path,emotion\ra.png,"joy, but"\rb.png,fear\r',
  "R's write.csv": '"","path","emotion"\n"1","a.png","joy, but"\n"2","b.png","fear"\n',
  "R's write.csv2": '"";"path";"emotion"\n"1";"a.png";"joy, but"\n"2";"b.png";"fear"\n',
  "R's write.table": '"path","emotion"\n"1","a.png","joy, but"\n"2","b.png","fear"\n',
  "pandas": ',path,emotion\n0,a.png,"joy, but"\n1,b.png,fear\n',
};

Deno.test("one table is read the same, whatever wrote it", () => {
  for (const [program, text] of Object.entries(WRITTEN)) {
    assert.deepEqual(rowsOf(readCsvTable(text)), WANTED, program);
  }
});

Deno.test("row numbers that are left out are told; a column with a name is kept", () => {
  const { notices } = readCsvTable(WRITTEN.pandas);
  assert.deepEqual(notices, ["its first column, row numbers without a name, is left out"]);
  assert.deepEqual(rowsOf(readCsvTable("id,path\n1,a\n2,b\n")), [["id", "path"], ["1", "a"], [
    "2",
    "b",
  ]]);
  // Names of rows are data.
  const named = readCsvTable(",path\nx,a\ny,b\n");
  assert.deepEqual(named.columns, ["column 1", "path"]);
  assert.equal(named.notices.length, 1);
});

Deno.test("NA without quotes is no value, and is counted; in quotes it is a text", () => {
  const text = '"path","country"\n"a",NA\n"b","NA"\n"c",NaN\n"d",NAN\n';
  const table = readCsvTable(text, { absent: true });
  assert.deepEqual(table.rows.map(({ fields }) => fields[1]), ["", "NA", "", "NAN"]);
  assert.deepEqual(table.notices, ['NA counts as no value in the column "country" (2 times)']);
  assert.deepEqual(readCsvTable(text).rows[0].fields, ["a", "NA"]);
});

Deno.test("line breaks and quotes inside quotes stay, and lines are counted as the file has them", () => {
  const { rows } = readCsvTable('sep=;\npath;note\na;"x\n""y"""\nb;z\n');
  assert.deepEqual(rows.map(({ fields }) => fields), [["a", 'x\n"y"'], ["b", "z"]]);
  assert.equal(rows[1].line, 5);
});

Deno.test("a row with fields too many or too few is refused with its line", () => {
  for (
    const [text, line] of [["a,b\n1,2\n1\n", 3], ["a,b\n1,2,3\n", 2], ['a,b\n1,"2\n', 2]] as const
  ) {
    assert.throws(() => readCsvTable(text), (error) => {
      assert.ok(error instanceof CsvFault, String(error));
      assert.equal(error.line, line);
      return true;
    });
  }
  assert.throws(() => readCsvTable("sep=x\na\n"), CsvFault);
});

Deno.test("a text without rows is an empty table", () => {
  assert.deepEqual(readCsvTable("").columns, []);
  assert.deepEqual(readCsvTable("\n ,,\n").rows, []);
});

Deno.test("columns are found without regard to case, an exact name first", () => {
  assert.equal(columnAt(["PATH", "path"], "path"), 1);
  assert.equal(columnAt(["Label", "Path"], "path"), 1);
  assert.equal(columnAt(["Label"], "path"), -1);
  assert.equal(repeatedColumn(["a", "b", "A"]), "A");
  assert.equal(repeatedColumn(["a", "b"]), undefined);
});

Deno.test("a decimal comma is a point where commas do not separate fields", () => {
  assert.equal(withPoint("0,5", ";"), "0.5");
  assert.equal(withPoint("-1,25e-3", ";"), "-1.25e-3");
  assert.equal(withPoint("1,234", ";"), "1.234");
  assert.equal(withPoint("1,234", "\t"), "1,234");
  assert.equal(withPoint("0,234", "\t"), "0.234");
  assert.equal(withPoint("0,5", ","), "0,5");
  assert.equal(withPoint("1.234,5", ";"), "1.234,5");
  assert.equal(withPoint("a,5", ";"), "a,5");
});
