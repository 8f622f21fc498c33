/**
 * ONNX files ⇄ graphs. The protobuf work is done by the `onnx-proto` package (protobufjs with ONNX's own schema).
 *
 * Writing is deterministic: the same graph gives the same bytes.
 *
 * @module
 */

import proto, { type onnx as types } from "onnx-proto";
import { messageOf, ModelError } from "../base/errors.ts";
import { type AnyTensor, ELEMENT_ARRAYS, type ElementType, sizeOf } from "../base/tensor.ts";
import type { Attribute, Dim, Graph, Node, ValueInfo } from "./graph.ts";

const { onnx } = proto;

/** ONNX's numbers for element types (TensorProto.DataType). */
const TYPE_NUMBERS: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};
const TYPE_NAMES = new Map(
  Object.entries(TYPE_NUMBERS).map(([name, number]) => [number, name as ElementType]),
);

/**
 * Reads a model.
 *
 * @param origin name of its file, for messages
 * @throws {ModelError} when the bytes are not an ONNX model, use an element type we do not know (bfloat16, 4-bit …), or
 * keep their weights in other files (external data).
 */
export function readModel(bytes: Uint8Array, origin?: string): Graph {
  const what = origin === undefined ? "the ONNX model" : `the ONNX model ${origin}`;
  let model: types.ModelProto;
  try {
    model = onnx.ModelProto.decode(bytes);
  } catch (error) {
    throw new ModelError(`Cannot read ${what}: not a protobuf message (${messageOf(error)})`);
  }
  if (!model.graph || !model.graph.node?.length && !model.graph.output?.length) {
    throw new ModelError(`Cannot read ${what}: no graph in ${bytes.length} bytes`);
  }
  const domains: Record<string, number> = {};
  let opset = 0;
  for (const set of model.opsetImport ?? []) {
    const domain = set.domain ?? "";
    if (domain === "" || domain === "ai.onnx") opset = Number(set.version ?? 0);
    else domains[domain] = Number(set.version ?? 0);
  }
  if (opset < 7) {
    throw new ModelError(
      `Cannot use the ONNX model: operator set ${opset}, older than 7; convert it with onnx.version_converter`,
    );
  }
  refuseFunctions(model, what);
  return readGraph(model.graph, opset, domains);
}

/** @throws {ModelError} where a node calls a function that the file itself defines: what it computes would not be seen. */
function refuseFunctions({ graph, functions }: types.ModelProto, what: string): void {
  const keyOf = (domain: unknown, name: unknown) => `${domain ?? ""}.${name ?? ""}`;
  const defined = new Set((functions ?? []).map(({ domain, name }) => keyOf(domain, name)));
  const refuse = (nodes: readonly types.INodeProto[]) => {
    for (const { name, domain, opType, attribute } of nodes) {
      if (defined.has(keyOf(domain, opType))) {
        throw new ModelError(
          `Cannot use ${what}: node ${
            JSON.stringify(name ?? "")
          } calls ${opType}, a function that the file defines; write it out with onnx.inliner.inline_local_functions`,
        );
      }
      for (const { g } of attribute ?? []) refuse(g?.node ?? []);
    }
  };
  if (defined.size > 0) refuse(graph?.node ?? []);
}

function readGraph(
  source: types.IGraphProto,
  opset: number,
  domains: Record<string, number>,
): Graph {
  const initializers = new Map(
    (source.initializer ?? []).map((t) => [t.name ?? "", readTensor(t)]),
  );
  const names = new Set<string>();
  const nodes = (source.node ?? []).map((node) => readNode(node, names, opset, domains));
  return {
    name: source.name ?? "",
    opset,
    domains,
    inputs: (source.input ?? []).filter((v) => !initializers.has(v.name ?? ""))
      .map(readValueInfo).map(withNamedBatch),
    outputs: (source.output ?? []).map(readValueInfo),
    initializers,
    nodes,
    stated: new Map(
      (source.valueInfo ?? []).filter((v) => v.type?.tensorType?.elemType)
        .map((v) => [v.name ?? "", readValueInfo(v)]),
    ),
  };
}

function readNode(
  source: types.INodeProto,
  names: Set<string>,
  opset: number,
  domains: Record<string, number>,
): Node {
  const op = source.opType ?? "";
  let name = source.name || `${op}_${source.output?.[0] ?? ""}`;
  while (names.has(name)) name += "'";
  names.add(name);
  const attributes: Record<string, Attribute> = {};
  for (const attribute of source.attribute ?? []) {
    attributes[attribute.name ?? ""] = readAttribute(attribute, name, opset, domains);
  }
  const domain = source.domain === "ai.onnx" ? "" : source.domain ?? "";
  return {
    name,
    op,
    domain,
    inputs: [...source.input ?? []],
    outputs: [...source.output ?? []],
    attributes,
  };
}

const utf8 = new TextDecoder();

function readAttribute(
  source: types.IAttributeProto,
  node: string,
  opset: number,
  domains: Record<string, number>,
): Attribute {
  // AttributeProto.AttributeType: 1 FLOAT, 2 INT, 3 STRING, 4 TENSOR, 5 GRAPH, 6 FLOATS, 7 INTS, 8 STRINGS
  switch (Number(source.type)) {
    case 1:
      return { kind: "float", value: source.f ?? 0 };
    case 2:
      return { kind: "int", value: Number(source.i ?? 0) };
    case 3:
      return { kind: "string", value: utf8.decode(source.s ?? new Uint8Array()) };
    case 4:
      return { kind: "tensor", value: readTensor(source.t!) };
    case 5:
      return { kind: "graph", value: readGraph(source.g!, opset, domains) };
    case 6:
      return { kind: "floats", value: [...source.floats ?? []] };
    case 7:
      return { kind: "ints", value: (source.ints ?? []).map(Number) };
    case 8:
      return { kind: "strings", value: (source.strings ?? []).map((s) => utf8.decode(s)) };
    default:
      throw new ModelError(
        `Cannot read attribute ${JSON.stringify(source.name)} of node ${
          JSON.stringify(node)
        }: attribute type ${source.type}`,
      );
  }
}

function readValueInfo(source: types.IValueInfoProto): ValueInfo {
  const tensorType = source.type?.tensorType;
  const info: ValueInfo = {
    name: source.name ?? "",
    type: TYPE_NAMES.get(tensorType?.elemType ?? 1) ?? "float32",
  };
  if (tensorType?.shape) {
    info.shape = (tensorType.shape.dim ?? []).map((dim, axis): Dim =>
      dim.dimParam ? dim.dimParam : Number(dim.dimValue ?? 0) > 0 // some exporters write 0 or -1 for an open one
        ? extentOf(String(dim.dimValue), info.name)
        : `?${info.name}${axis}`
    );
  }
  return info;
}

/** @throws {ModelError} for one that a number cannot hold exactly. */
function extentOf(text: string, name: string): number {
  if (Number.isSafeInteger(Number(text))) return Number(text);
  throw new ModelError(
    `Cannot read the shape of ${
      JSON.stringify(name)
    }: an extent of ${text}; export the model again`,
  );
}

/** An input's open first extent that has no name is the batch, and called N. */
function withNamedBatch(info: ValueInfo): ValueInfo {
  const [first, ...rest] = info.shape ?? [];
  if (rest.length === 0 || typeof first !== "string" || !first.startsWith("?")) return info;
  return { ...info, shape: ["N", ...rest] };
}

/** The field of a tensor that lists its elements where they are not raw bytes; of the types that are not here, `int32Data`. */
const LIST_FIELDS: Readonly<
  Partial<Record<ElementType, "floatData" | "doubleData" | "int64Data" | "uint64Data">>
> = {
  float32: "floatData",
  float64: "doubleData",
  int64: "int64Data",
  uint64: "uint64Data",
  uint32: "uint64Data",
};

/** Elements out of raw bytes; `undefined` where these are not as many. A view where the alignment allows it: a model's weights are by far its largest part. */
function elementsOfBytes(
  type: ElementType,
  raw: Uint8Array,
  size: number,
): AnyTensor["data"] | undefined {
  const Elements = ELEMENT_ARRAYS[type];
  if (raw.length !== size * Elements.BYTES_PER_ELEMENT) return undefined;
  const aligned = raw.byteOffset % Elements.BYTES_PER_ELEMENT === 0;
  // A copy by constructor, because a Node Buffer's slice() is a view of the whole file.
  const buffer = (aligned ? raw.buffer : new Uint8Array(raw).buffer) as ArrayBuffer;
  return new Elements(buffer, aligned ? raw.byteOffset : 0, size);
}

/** Elements out of a list of numbers, or of 64-bit integers as protobufjs has them; `undefined` where these are not as many. */
function elementsOfList(
  type: ElementType,
  list: ArrayLike<{ toString(): string }>,
  size: number,
): AnyTensor["data"] | undefined {
  if (list.length !== size) return undefined;
  const whole = (value: { toString(): string }) => BigInt(value.toString());
  if (type === "int64") return BigInt64Array.from(list, whole);
  if (type === "uint64") return BigUint64Array.from(list, whole);
  const data = new ELEMENT_ARRAYS[type](size) as Exclude<
    AnyTensor["data"],
    BigInt64Array | BigUint64Array
  >;
  for (let i = 0; i < size; i++) data[i] = Number(list[i]);
  return data;
}

function readTensor(source: types.ITensorProto): AnyTensor {
  const name = JSON.stringify(source.name ?? "");
  const type = TYPE_NAMES.get(source.dataType ?? 0);
  if (!type) {
    throw new ModelError(`Cannot read tensor ${name}: element type number ${source.dataType}`);
  }
  if (source.externalData?.length || source.dataLocation) {
    throw new ModelError(
      `Cannot read tensor ${name}: its data lie in another file (external data); save the model as one file`,
    );
  }
  const shape = (source.dims ?? []).map(Number);
  const size = sizeOf(shape);
  const raw = source.rawData?.length ? source.rawData : undefined;
  const list = source[LIST_FIELDS[type] ?? "int32Data"] ?? [];
  const data = raw ? elementsOfBytes(type, raw, size) : elementsOfList(type, list, size);
  if (data === undefined) {
    const met = raw ? `${raw.length} bytes` : `${list.length} elements`;
    throw new ModelError(`Cannot read tensor ${name} of shape [${source.dims}]: ${met}`);
  }
  return { type, shape, data } as AnyTensor;
}

/** The ONNX IR version written: 8 goes with operator sets 15 to 18, and all runtimes we use read it. */
const IR_VERSION = 8;

/** Writes a model. The same graph gives the same bytes. */
export function writeModel(graph: Graph): Uint8Array {
  const parts = writeModelParts(graph);
  const bytes = new Uint8Array(lengthOf(parts));
  let from = 0;
  for (const part of parts) {
    bytes.set(part, from);
    from += part.length;
  }
  return bytes;
}

/**
 * The same as consecutive parts. The weights among them are views of the graph's tensors, so that writing a file needs no second
 * copy of them.
 */
export function writeModelParts(graph: Graph): Uint8Array[] {
  const opsetImport = [{ domain: "", version: graph.opset }];
  for (const [domain, version] of Object.entries(graph.domains).sort()) {
    opsetImport.push({ domain, version });
  }
  // Fields in the order of their numbers, as protobufjs writes them: a message is its fields one after the other.
  const { initializer, node, name, ...rest } = writeGraph(graph);
  const body = [
    onnx.GraphProto.encode({ node: node!, name: name! }).finish(),
    ...initializer!.flatMap(writeInitializer),
    onnx.GraphProto.encode(rest).finish(),
  ];
  return [
    onnx.ModelProto.encode({
      irVersion: graph.opset > 20 ? 10 : graph.opset > 18 ? 9 : IR_VERSION,
      producerName: "emocam",
    }).finish(),
    // ModelProto.graph
    fieldHead(7, lengthOf(body)),
    ...body,
    onnx.ModelProto.encode({ opsetImport }).finish(),
  ];
}

/** A tensor as GraphProto.initializer, its data as they are. */
function writeInitializer({ rawData, ...rest }: types.ITensorProto): Uint8Array[] {
  const head = onnx.TensorProto.encode(rest).finish();
  const body = [head, fieldHead(9, rawData!.length), rawData!];
  return [fieldHead(5, lengthOf(body)), ...body];
}

/** What comes before a field of bytes or of a message: its number and wire type 2, and its length. */
function fieldHead(number: number, length: number): Uint8Array {
  const bytes = [number << 3 | 2];
  for (; length > 127; length = Math.floor(length / 128)) bytes.push(length % 128 + 128);
  bytes.push(length);
  return Uint8Array.from(bytes);
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function writeGraph(graph: Graph): types.IGraphProto {
  return {
    name: graph.name,
    node: graph.nodes.map((node) => ({
      name: node.name,
      opType: node.op,
      domain: node.domain,
      input: node.inputs,
      output: node.outputs,
      attribute: Object.entries(node.attributes).map(([name, a]) => writeAttribute(name, a)),
    })),
    initializer: [...graph.initializers].map(([name, value]) => writeTensor(name, value)),
    input: graph.inputs.map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    valueInfo: [...graph.stated.values()].map(writeValueInfo),
  };
}

const toUtf8 = new TextEncoder();

function writeAttribute(name: string, attribute: Attribute): types.IAttributeProto {
  switch (attribute.kind) {
    case "float":
      return { name, type: 1, f: attribute.value };
    case "int":
      return { name, type: 2, i: attribute.value };
    case "string":
      return { name, type: 3, s: toUtf8.encode(attribute.value) };
    case "tensor":
      return { name, type: 4, t: writeTensor("", attribute.value) };
    case "graph":
      return { name, type: 5, g: writeGraph(attribute.value) };
    case "floats":
      return { name, type: 6, floats: [...attribute.value] };
    case "ints":
      return { name, type: 7, ints: [...attribute.value] };
    case "strings":
      return { name, type: 8, strings: attribute.value.map((s) => toUtf8.encode(s)) };
    default:
      return attribute satisfies never;
  }
}

function writeValueInfo(info: ValueInfo): types.IValueInfoProto {
  const tensorType: types.TypeProto.ITensor = { elemType: TYPE_NUMBERS[info.type] };
  if (info.shape) {
    tensorType.shape = {
      dim: info.shape.map((dim) =>
        typeof dim === "number" ? { dimValue: dim } : dim.startsWith("?") ? {} : { dimParam: dim }
      ),
    };
  }
  return { name: info.name, type: { tensorType } };
}

function writeTensor(name: string, value: AnyTensor): types.ITensorProto {
  const { buffer, byteOffset, byteLength } = value.data;
  return {
    name,
    dims: [...value.shape],
    dataType: TYPE_NUMBERS[value.type],
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  };
}
