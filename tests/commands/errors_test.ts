import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { writeNpy } from "../../src/base/npy.ts";
import { type AnyTensor, floats, tensor } from "../../src/base/tensor.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, runEmocam } from "./cli.ts";
import { assertMore } from "../assert_that.ts";

const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));

/** Files that are wrong in one way each. */
async function makeWrongFiles(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  await makeFaces(at("faces"), 1);
  const card = JSON.parse(await Deno.readTextFile(join(MODELS, "mini-xception.json")));
  const model = await Deno.readFile(join(MODELS, "mini-xception.onnx"));
  const header = "image,label,confidence,x0,y0,x1,y1\n";
  const cards: Record<string, unknown> = {
    unknown: { ...card, colour: "red" },
    nested: { ...card, input: { ...card.input, colour: "red" } },
    missing: { ...card, file: "nothing.onnx" },
    hash: { ...card, sha256: "0".repeat(64) },
    classes: { ...card, classes: card.classes.slice(1) },
    twice: { ...card, classes: card.classes.map(() => "joy") },
    deviation: { ...card, input: { ...card.input, std: [0] } },
    size: { ...card, input: { ...card.input, width: 48 } },
    layer: { ...card, targetLayer: "nope" },
    task: { ...card, task: "nope" },
    list: [],
  };
  const arrays: Record<string, AnyTensor> = {
    good: floats([1, 1, 64, 64], new Float32Array(4096)),
    shape: floats([1, 3, 64, 64], new Float32Array(3 * 4096)),
    rank: floats([64, 64], new Float32Array(4096)),
    none: floats([0, 1, 64, 64], []),
    double: tensor("float64", [1, 1, 64, 64], new Float64Array(4096)),
  };
  const files: Record<string, string | Uint8Array> = {
    file: "x",
    "broken.json": '{"name": ',
    "empty.json": "",
    "text.onnx": "this is not a model",
    "empty.onnx": "",
    "cut.onnx": model.slice(0, 5000),
    "mini-xception.onnx": model,
    "header.csv": "a,b\n1,2\n",
    "number.csv": `${header}face000.png,dog,x,0,0,1,1\n`,
    "corners.csv": `${header}face000.png,dog,.5,5,0,1,1\n`,
    "foreign.csv": `${header}other.png,dog,.5,0,0,1,1\n`,
    "empty.csv": "",
    "coco.json": '{"images": []}',
    "text.npy": "x",
    "text.txt": "no picture",
    ...Object.fromEntries(
      Object.entries(cards).map(([name, value]) => [
        `${name}.card.json`,
        JSON.stringify(value),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(arrays).map(([name, value]) => [
        `${name}.npy`,
        writeNpy(value),
      ]),
    ),
  };
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === "string") await Deno.writeTextFile(at(name), content);
    else await Deno.writeFile(at(name), content);
  }
  for (const name of ["empty", "text.ledger", "other.ledger", "folder.json", "folder.onnx"]) {
    await Deno.mkdir(at(name));
  }
  await Deno.writeTextFile(at("text.ledger/ledger.sqlite"), "hello, ".repeat(30));
  const other = new DatabaseSync(at("other.ledger/ledger.sqlite"));
  other.exec("CREATE TABLE a (b); INSERT INTO a VALUES (1)");
  other.close();
}

/** Arguments after `analyze faces --out OUT`, and what the one line on standard error says. */
const ANALYZE: readonly (readonly [string, RegExp])[] = [
  ["--nonsense", /^unknown option '--nonsense'$/],
  ["--methods nope", /method "nope": give one or more of grad-cam, cam/],
  ["--methods=", /Cannot choose methods/],
  [
    "--methods GradCAM++",
    /"GradCAM\+\+": did you mean grad-cam-plus-plus\? Methods: grad-cam, cam/,
  ],
  ["--methods cam;grad-cam", /separated by commas: did you mean cam,grad-cam\?/],
  ["--layer=", /--layer "": name a layer, or leave --layer out$/],
  ["--layer maps,maps", /--layer "maps,maps": maps occurs twice; name each layer once$/],
  ["--layer input", /target layer "input": it is not between the input and the scores; take one/],
  [
    "--layer StatefulPartitionedCall/model_1/conv2d_1/Conv2D_weights",
    /Conv2D_weights": it is not between the input and the scores; take one/,
  ],
  [
    "--layer mini-xception/GlobalAveragePool_22",
    /target layer "[^"]*": its shape is \[N,7,1,1\], a map of one cell; take one/,
  ],
  ["--class nope", /class "nope": give predicted, all, or one of angry, disgust/],
  ["--class 7", /class "7"/],
  ["--class -1", /class "-1"/],
  ["--threshold abc", /--threshold "abc": give a number from 0 to 1$/],
  ["--threshold NaN", /--threshold "NaN"/],
  ["--threshold Infinity", /--threshold "Infinity"/],
  ["--threshold -0.1", /--threshold "-0.1"/],
  ["--threshold=", /--threshold ""/],
  ["--batch 0", /--batch "0": give a whole number from 1 to 4096/],
  ["--batch 1.5", /--batch "1.5"/],
  ["--batch 1e9", /--batch "1e9"/],
  ["--seed x", /--seed "x"/],
  ["--limit 0", /--limit "0": give a whole number of at least 1/],
  ["--activation-cache -1", /--activation-cache "-1"/],
  ["--target nope", /--target "nope": give logit, probability, margin/],
  ["--backend nonsense", /--backend "nonsense": give auto, webgpu, native, wasm/],
  ["--samples nope", /--samples "nope": give image, faces/],
  ["--placement nope", /--placement "nope"/],
  ["--box-mean nope", /--box-mean "nope"/],
  ["--orientation nope", /--orientation "nope"/],
  ["--layer nope", /target layer "nope": no tensor has this name; take one of/],
  ["--layer probabilities", /target layer "probabilities": its shape is \[N,7\]/],
  ["--classifier nope", /model "nope": give one of .*mini-xception/],
  ["--classifier tiny-face", /tiny-face as classifier: its card says task faces/],
  ["--classifier @unknown.card.json", /unknown\.card\.json: .*"colour"/],
  ["--classifier @nested.card.json", /nested\.card\.json: input: .*"colour"/],
  ["--classifier @missing.card.json", /its file .*nothing\.onnx is missing; get it from npm/],
  [
    "--classifier @hash.card.json",
    /sha256 of mini-xception\.onnx is [0-9a-f]{64}, its card says 0{64}/,
  ],
  ["--classifier @classes.card.json", /its output has 7 classes, its card names 6/],
  ["--classifier @twice.card.json", /classes: joy occurs twice/],
  ["--classifier @deviation.card.json", /input\.std: 0/],
  [
    "--classifier @size.card.json",
    /its input has shape \[N,1,64,64\], its card says \[N, 1, 64, 48\]/,
  ],
  ["--classifier @layer.card.json", /target layer "nope"/],
  ["--classifier @task.card.json", /task\.card\.json: task/],
  ["--classifier @list.card.json", /list\.card\.json: the card/],
  ["--classifier @broken.json", /broken\.json: not JSON/],
  ["--classifier @empty.json", /empty\.json: not JSON/],
  ["--classifier @folder.json", /model ".*folder\.json"/],
  ["--classifier @nothing.json", /model ".*nothing\.json"/],
  ["--classifier @text.onnx", /text\.onnx: .*not a protobuf message/],
  ["--classifier @empty.onnx", /empty\.onnx: .*no graph/],
  ["--classifier @cut.onnx", /cut\.onnx: .*not a protobuf message/],
  ["--classifier @folder.onnx", /Cannot read classifier .*folder\.onnx/],
  ["--classifier @nothing.onnx", /Cannot read classifier .*nothing\.onnx/],
  ["--classifier @file", /model ".*file"/],
  ["--detector nope", /model "nope"/],
  ["--detector mini-xception", /mini-xception as detector: its card says task classifier/],
  ["--detector @header.csv", /header\.csv: column image, label/],
  ["--detector @number.csv", /number\.csv, line 2: confidence is "x"/],
  ["--detector @corners.csv", /corners\.csv, line 2: x1 is 1, not over x0 = 5/],
  [
    "--detector @foreign.csv",
    /none of its 1 images \(other\.png …\) is in the corpus \(face000\.png …\)/,
  ],
  ["--detector @empty.csv", /empty\.csv: column/],
  ["--detector @nothing.csv", /Cannot read detector .*nothing\.csv/],
  ["--detector @coco.json", /coco\.json, categories/],
  ["--detector @broken.json", /broken\.json: not JSON/],
  ["--detector @folder.json", /Cannot read detector .*folder\.json/],
  ["--out @file", /Cannot write to --out ".*file"/],
  ["--out @file/below", /Cannot write to --out ".*below"/],
  ["--out=", /Cannot write to --out ""/],
  ["--out @text.ledger", /text\.ledger\/ledger\.sqlite as a ledger: it is another kind of file/],
  ["--out @other.ledger", /other\.ledger\/ledger\.sqlite as a ledger/],
  ["--out @text.ledger --fresh", /as a ledger/],
];

/** Whole command lines. */
const OTHERS: readonly (readonly [string, RegExp])[] = [
  ["analyze @nothing", /no file or folder ".*nothing"/],
  ["analyze @*.nothing", /nothing matches/],
  ["analyze @empty", /no \.jpg, \.png.* in .*empty/],
  ["analyze @header.csv", /none of its columns \(a, b\)/],
  ["explain", /^missing required argument 'image'$/],
  ["explain @faces --out @file", /Cannot write to --out/],
  ["explain @good.npy --maps @file", /Cannot write to --maps/],
  ["explain @good.npy @faces", /images and \.npy tensors together/],
  ["explain @shape.npy", /its shape is \[1,3,64,64\], model mini-xception takes \[N, 1, 64, 64\]/],
  ["explain @rank.npy", /its shape is \[64,64\], not \[N, C, H, W\]/],
  ["explain @double.npy", /its values are float64; save float32: array\.astype/],
  ["explain @none.npy", /its shape is \[0,1,64,64\]: it holds no input/],
  ["explain @text.npy", /no NumPy signature/],
  ["explain @nothing.npy", /nothing\.npy: there is no such file/],
  ["check --class all", /--class "all": .*; give predicted, or one class$/],
  ["check --class nope", /class "nope": give predicted, /],
  ["check --threshold 0.5", /^unknown option '--threshold'$/],
  ["check --box-mean paper", /^unknown option '--box-mean'$/],
  ["models inspect nope", /model "nope"/],
  ["models inspect @text.onnx", /text\.onnx: .*not a protobuf message/],
  ["models inspect @nothing.onnx", /Cannot read .*nothing\.onnx/],
  ["models inspect face-parts", /its card has no ONNX file/],
  ["models list --nonsense", /^unknown option '--nonsense'$/],
];

Deno.test("whatever is wrong is said in one line on standard error, with status 2, before anything is computed", async () => {
  await withFolder(async (folder) => {
    await makeWrongFiles(folder);
    const out = join(folder, "out");
    const place = (text: string) => text.replace("@", `${folder}/`);
    const lines = [
      ...ANALYZE.map(([args, says]) => [`analyze @faces --out @out ${args}`, says] as const),
      ...OTHERS,
    ];
    for (const [line, says] of lines) {
      const { status, out: printed, err } = await emocam(...line.split(" ").map(place));
      assert.equal(status, 2, `${line}: ${err}`);
      assert.equal(printed, "", line);
      assert.match(err.trimEnd(), says, `${line}: ${err}`);
      assert.match(err, /^[^\n]+\n$/, line);
      assert.doesNotMatch(err, /\bat .*\.ts|Error:/, line);
    }
    // A folder may have been made to try whether it can be written to; nothing lies in it.
    const left = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
    assert.deepEqual(left, []);
  });
});

Deno.test("a command that is unknown or missing gives help and status 2", async () => {
  const { status, err } = await runEmocam("analyse");
  assert.equal(status, 2);
  assert.match(err, /^unknown command 'analyse'\n\(Did you mean analyze\?\)/);
  const none = await emocam();
  assert.equal(none.status, 2);
  assert.match(none.err, /^Usage: emocam/);
  for (const args of [["--help"], ["help", "analyze"], ["explain", "--help"], ["--version"]]) {
    const { status, out } = await emocam(...args);
    assert.equal(status, 0, args.join(" "));
    assertMore(out.length, 0);
  }
});
