import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";

import {
  bytesOf,
  checkpoint,
  dict,
  floatBytes,
  int,
  integer,
  ORDERED,
  pickle,
  type Piece,
  readStateDictBytes,
  storage,
  tensor,
  text,
  tuple,
  word,
} from "./_files.ts";

const DATA = { "0": floatBytes([1, 2, 3, 4, 5, 6]) };
const STORAGE = storage("0", 6);
const V2 = word("torch._utils", "_rebuild_tensor_v2");
const V3 = word("torch._utils", "_rebuild_tensor_v3");
const SIZE = tuple(int(2), int(3));
const STRIDE = tuple(int(3), int(1));

function read(value: Piece, data: Record<string, Uint8Array> = DATA) {
  return readStateDictBytes(checkpoint(pickle(dict([text("w"), value])), data), "f");
}

function refused(value: Piece, message: RegExp, data?: Record<string, Uint8Array>): void {
  assert.throws(() => read(value, data), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, /^Cannot read f: [^\n]+; [^\n]+$/);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("tensors, parameters and ordered dicts are rebuilt", () => {
  const plain = tensor(STORAGE, [2, 3], [3, 1]);
  const w = read(plain).get("w")!;
  assert.deepEqual([w.dtype, w.shape, [...w.read()]], ["float32", [2, 3], [1, 2, 3, 4, 5, 6]]);
  const parameter = [
    word("torch._utils", "_rebuild_parameter"),
    tuple(plain, "\x88", ORDERED),
    "R",
  ];
  assert.deepEqual([...read(parameter).get("w")!.read()], [1, 2, 3, 4, 5, 6]);
  const hooks = [V2, tuple(STORAGE, int(4), tuple(int(2)), tuple(int(1)), "\x88", "N"), "R"];
  assert.deepEqual([...read(hooks).get("w")!.read()], [5, 6]);
  const metadata = [ORDERED, dict([text("_metadata"), dict([text(""), "}"])]), "b"];
  const whole = pickle(metadata, text("w"), plain, "s");
  assert.deepEqual([...readStateDictBytes(checkpoint(whole, DATA)).keys()], ["w"]);
  const pairs = ["](", tuple(text("w"), plain), "](", text("v"), plain, "e", "e"];
  const listed = pickle(word("collections", "OrderedDict"), tuple(pairs), "R");
  assert.deepEqual([...readStateDictBytes(checkpoint(listed, DATA)).keys()], ["w", "v"]);
});

Deno.test("an untyped storage takes its type from the tensor", () => {
  const untyped = storage("0", 6, { kind: "UntypedStorage", module: "torch.storage" });
  const of = (type: string, offset = 1) => [
    V3,
    tuple(untyped, int(offset), tuple(int(2)), tuple(int(1)), "\x89", ORDERED, word("torch", type)),
    "R",
  ];
  const data = { "0": bytesOf(integer(7, 2), integer(65535, 2), integer(258, 2)) };
  const value = read(of("uint16"), data).get("w")!;
  assert.deepEqual([value.dtype, ...value.read()], ["uint16", 65535, 258]);
  refused(of("uint16", 2), /in a storage of 3 elements/, data);
  refused(of("float32"), /in a storage of 1 elements/, data);
  refused(of("float8_e4m3fn"), /"torch\.float8_e4m3fn"/, data);
  refused(
    [V3, tuple(untyped, int(0), SIZE, STRIDE, "\x89", ORDERED, "N"), "R"],
    /None as its type/,
  );
  refused(tensor(untyped, [1], [1]), /nothing as its type/, data);
});

Deno.test("a name that would run something is a warning, never advice to convert the file", () => {
  const runs = [
    ["torch", "load"],
    ["torch.hub", "load"],
    ["torch.hub", "load_state_dict_from_url"],
    ["torch.jit", "load"],
    ["torch.utils.cpp_extension", "load"],
    ["torch.serialization", "load"],
    ["torch", "compile"],
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "eval"],
    ["importlib", "import_module"],
    ["runpy", "run_path"],
  ];
  for (const [module, name] of runs) {
    const named = [text(module), text(name), "\x93"];
    refused(named, /PyTorch would run it: do not open this file with torch\.load/);
  }
  for (
    const [module, name] of [["torch.nn.modules.linear", "Linear"], [
      "torchvision.models.resnet",
      "ResNet",
    ], ["my_project.net", "Net"]]
  ) {
    refused([text(module), text(name), "\x93"], /it was not run\. Save the weights alone/);
  }
  for (
    const [module, name] of [
      ["torch._utils", "_rebuild_sparse_tensor"],
      ["torch", "QInt8Storage"],
      ["torch", "float8_e8m0fnu"],
      ["torch", "Size"],
    ]
  ) {
    refused([text(module), text(name), "\x93"], /only plain tensors of floats, integers and bool/);
  }
});

Deno.test("any other name is refused when it is named, called or not, wherever it is", () => {
  const names: [string, string][] = [
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "eval"],
    ["__builtin__", "eval"],
    ["torch", "load"],
    ["torch", "QInt8Storage"],
    ["torch", "ComplexFloatStorage"],
    ["torch.nn.modules.linear", "Linear"],
    ["torch._utils", "_rebuild_sparse_tensor"],
    ["numpy", "load"],
    ["constructor", "constructor"],
    ["torch", "constructor"],
    // Dotted names reach attributes; what they spell is not what is on the list.
    ["torch", "_utils._rebuild_tensor_v2"],
    ["", "collections.OrderedDict"],
    ["collections", "OrderedDict.fromkeys"],
    ["collections ", "OrderedDict"],
  ];
  for (const [module, name] of names) {
    const message = new RegExp(`asks for "${`${module}.${name}`.replaceAll(".", "\\.")}"`);
    refused([text(module), text(name), "\x93"], message);
    refused([text(module), text(name), "\x930", tensor(STORAGE, [6], [1])], message);
  }
  refused(word("a\x1b[31m\u202e".slice(0, 6), "b"), /"a\\u001b\[31m\.b"/);
});

Deno.test("words are not called beyond their meaning", () => {
  refused([word("torch", "FloatStorage"), ")R"], /calls torch\.FloatStorage/);
  refused([word("torch", "float32"), ")R"], /calls torch\.float32/);
  refused([V2, tuple(STORAGE), "R"], /rebuilds a tensor from 1 values/);
  refused([V2, tuple(int(1), int(0), SIZE, STRIDE, "\x89", "N"), "R"], /from the number 1/);
  refused([V2, tuple(STORAGE, "N", SIZE, STRIDE, "\x89", "N"), "R"], /None as its offset/);
  refused([V2, tuple(STORAGE, int(0), "]", STRIDE, "\x89", "N"), "R"], /a list as its size/);
  refused([V2, tuple(STORAGE, int(0), SIZE, STRIDE, "N", "N"), "R"], /None as requires_grad/);
  const hooks = dict([text("a"), "N"]);
  refused([V2, tuple(STORAGE, int(0), SIZE, STRIDE, "\x89", hooks), "R"], /a dict as hooks/);
  refused([V2, tuple(STORAGE, int(0), SIZE, STRIDE, "\x89", "N", hooks), "R"], /metadata/);
  const floats = tuple(["G", "\x40\x08\0\0\0\0\0\0"], int(2));
  refused(
    [V2, tuple(STORAGE, int(0), floats, STRIDE, "\x89", "N"), "R"],
    /a float in its size/,
  );
  refused([V2, tuple(STORAGE, int(0), tuple("\x88"), SIZE, "\x89", "N"), "R"], /True in its size/);
  refused(tensor(STORAGE, [-1, 3], [3, 1]), /the number -1 in its size/);
  refused(tensor(STORAGE, [2, 3], [3, -1]), /the number -1 in its stride/);
  refused(tensor(STORAGE, [2, 3], [3, 1], 1), /offset 1, in a storage of 6 elements/);
  refused(tensor(STORAGE, [2n ** 60n], [0]), /the number 1152921504606846976 in its size/);
  refused(tensor(STORAGE, [2n ** 53n], [0]), /in its size/);
  const p = word("torch._utils", "_rebuild_parameter");
  refused([p, tuple("N", "\x88", ORDERED), "R"], /makes a parameter from None, True, a dict/);
  refused([word("collections", "OrderedDict"), tuple("N"), "R"], /an OrderedDict from None/);
  refused(
    [word("collections", "OrderedDict"), tuple(["]", "Na"]), "R"],
    /an OrderedDict from None of nothing/,
  );
});

Deno.test("attributes are set on ordered dicts only, and only their metadata", () => {
  refused(["}", dict([text("_metadata"), "}"]), "b"], /sets attributes of a dict from a dict/);
  refused([tensor(STORAGE, [6], [1]), "}b"], /sets attributes of a tensor/);
  refused([ORDERED, "Nb"], /from None/);
  refused([ORDERED, dict([text("__class__"), "N"]), "b"], /the attribute "__class__"/);
  refused([ORDERED, dict([int(1), "N"]), "b"], /the attribute the number 1/);
});

Deno.test("persistent ids are storages, each described in one way", () => {
  const id = (...items: Piece[]): Piece => [tuple(...items), "Q"];
  const float = word("torch", "FloatStorage");
  refused(id(text("storage"), float), /nothing as its key/);
  refused(id(text("module"), float, text("m.py"), text("source")), /a whole model with its source/);
  refused(id(text("tensor"), float, text("0"), text("cpu"), int(6)), /not of a storage/);
  refused(
    id(text("storage"), word("collections", "OrderedDict"), text("0"), text("cpu"), int(6)),
    /not of a storage/,
  );
  refused(id(text("storage"), text("FloatStorage"), text("0"), text("cpu"), int(6)), /not of a/);
  refused(id(text("storage"), float, int(0), text("cpu"), int(6)), /the number 0 as its key/);
  refused(id(text("storage"), float, text(""), text("cpu"), int(6)), /text as its key/);
  refused(storage("0", -6), /the number -6 elements/);
  refused(id(text("storage"), float, text("0"), text("cpu"), text("6")), /text elements/);
  refused(id(text("storage"), float, text("0"), text("cpu"), "\x88"), /True elements/);
  refused(
    id(text("storage"), float, text("0"), text("cpu"), int(6), tuple(text("v"), int(0), int(2))),
    /a view of another storage/,
  );
  refused(["K\x01", "Q"], /a persistent id is the number 1/);
  refused([STORAGE, "0", storage("0", 3, { kind: "DoubleStorage" })], /described twice/);
  refused(storage("7", 6), /storage "7", which is not in the archive/);
  refused(storage("../version", 6), /storage "\.\.\/version", which is not in the archive/);
  refused(storage("0", 5), /has 24 bytes, not the 20 announced/);
  refused(STORAGE, /"w" is a storage, which is not a tensor/);
});
