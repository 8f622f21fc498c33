/**
 * What a shape rule sees: one node, with what is known about its inputs.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { type AnyTensor, type ElementType, sizeOf, toNumbers } from "../../base/tensor.ts";
import { broadcastDim, formatShape } from "../dims.ts";
import type { Dim, Graph, Known, Node, Shape, Value } from "../graph.ts";

/** Tensors with more elements than this are data, not shape arithmetic, and their elements are not followed. */
export const MOST_ELEMENTS = 128;

/** Infers a node's outputs, in order; `undefined` for an output about which nothing can be said. */
export type ShapeRule = (site: Site) => (Known | undefined)[];

/** Shape rules by op of the standard domain. */
export type ShapeRules = Readonly<Record<string, ShapeRule>>;

/** What is known of a constant tensor. */
export function knownOf(value: AnyTensor): Known {
  const known: Known = { type: value.type, shape: value.shape };
  if (value.data.length <= MOST_ELEMENTS && value.type !== "float16") {
    known.elements = toNumbers(value);
  }
  return known;
}

/** One output of a type and shape; `elements` where they are known. */
export function known(type: ElementType, shape?: Shape, elements?: readonly Dim[]): Known {
  const result: Known = { type };
  if (shape) result.shape = shape;
  if (elements) result.elements = elements;
  return result;
}

/** Infers the outputs of a whole subgraph in the scope of a node; see `shapes.ts`. */
type InferSubgraph = (inner: Graph, outer: Map<Value, Known>) => Map<Value, Known>;

/** A node and what is known about what it reads. */
export class Site {
  constructor(
    readonly graph: Graph,
    readonly node: Node,
    readonly known: Map<Value, Known>,
    readonly inferSubgraph: InferSubgraph,
  ) {}

  /** Whether the node has an i-th input at all. */
  has(i: number): boolean {
    return (this.node.inputs[i] ?? "") !== "";
  }

  input(i: number): Known | undefined {
    const name = this.node.inputs[i] ?? "";
    return name === "" ? undefined : this.known.get(name);
  }

  shape(i: number): Shape | undefined {
    return this.input(i)?.shape;
  }

  /** Element type of an input; float32 where unknown. */
  type(i: number): ElementType {
    return this.input(i)?.type ?? "float32";
  }

  /** Elements of a small input; see {@linkcode Known}. */
  elements(i: number): readonly Dim[] | undefined {
    const name = this.node.inputs[i] ?? "";
    if (name === "") return undefined;
    const elements = this.known.get(name)?.elements;
    if (elements) return elements;
    const constant = this.graph.initializers.get(name);
    return constant && knownOf(constant).elements;
  }

  /** Elements of a small input where all of them are numbers. */
  numbers(i: number): readonly number[] | undefined {
    const elements = this.elements(i);
    return elements?.every((e) => typeof e === "number") ? elements as number[] : undefined;
  }

  /** A list that is an attribute in older operator sets and an input in newer ones. */
  list(attribute: string, input: number): readonly number[] | undefined {
    const found = this.node.attributes[attribute];
    if (found?.kind === "ints" || found?.kind === "floats") return found.value;
    return this.numbers(input);
  }

  /** A new anonymous extent for an axis (or an element) of an output. */
  unknown(axis: number, output = 0): Dim {
    return `?${this.node.outputs[output]}:${axis}`;
  }

  /** A shape of which only the rank is known. */
  unknownShape(rank: number, output = 0): Dim[] {
    return Array.from({ length: rank }, (_, axis) => this.unknown(axis, output));
  }

  /** An axis counted from the front. @throws {ModelError} when it is out of range. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (counted < 0 || counted >= rank) {
      this.fail(`axis ${axis} of a tensor of rank ${rank}`);
    }
    return counted;
  }

  /** NumPy's broadcast of several shapes. @throws {ModelError} when they do not fit. */
  broadcast(shapes: readonly Shape[]): Shape {
    const rank = Math.max(0, ...shapes.map((shape) => shape.length));
    return Array.from({ length: rank }, (_, axis) => {
      let dim: Dim = 1;
      for (const shape of shapes) {
        const other = shape[axis - rank + shape.length];
        if (other === undefined) continue;
        const joint = broadcastDim(dim, other, this.unknown(axis));
        if (joint === undefined) {
          this.fail(`shapes ${shapes.map(formatShape).join(" and ")} do not broadcast`);
        }
        dim = joint;
      }
      return dim;
    });
  }

  /** Number of elements if all extents are numbers. */
  size(shape: Shape | undefined): number | undefined {
    return shape?.every((dim) => typeof dim === "number") ? sizeOf(shape as number[]) : undefined;
  }

  /** @throws {ModelError} always: the model contradicts itself at this node. */
  fail(reason: string): never {
    throw new ModelError(
      `Cannot infer shapes at node ${JSON.stringify(this.node.name)} (${this.node.op}): ${reason}`,
    );
  }
}

/** Moves elements: for each place of the result, as coordinates, the coordinates of the element that goes there. */
export function move(
  elements: readonly Dim[] | undefined,
  from: Shape | undefined,
  to: Shape | undefined,
  source: (coordinates: readonly number[]) => readonly number[],
): Dim[] | undefined {
  const size = to?.every((dim) => typeof dim === "number") ? sizeOf(to as number[]) : undefined;
  if (!elements || !from || size === undefined || size > MOST_ELEMENTS) return undefined;
  return Array.from({ length: size }, (_, place) => {
    const coordinates: number[] = [];
    for (const extent of [...to as number[]].reverse()) {
      coordinates.unshift(place % extent);
      place = Math.floor(place / extent);
    }
    const index = source(coordinates).reduce((at, c, axis) => at * (from[axis] as number) + c, 0);
    return elements[index];
  });
}
