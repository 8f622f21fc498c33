/**
 * Reading the values of a cfg section, so that none is misread or passed over.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { type CfgSection, quoted } from "./cfg.ts";

/** Largest whole number: Darknet's `int`. */
const MAX_INT = 2 ** 31 - 1;

/** A comment after a number, which Darknet's `atoi` and `atof` do not see. One with a comma would count as another value. */
const COMMENT = /[#;][^,]*$/;
const WHOLE = /^[+-]?\d+$/;
const REAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The values of one section, read by key. */
export class SectionOptions {
  readonly section: CfgSection;
  readonly #origin: string;
  readonly #label: string;
  readonly #read = new Set<string>();

  /**
   * @param origin name of the cfg file
   * @param layer index of the layer as Darknet counts it (0 is the first section after [net]); undefined for [net]
   */
  constructor(section: CfgSection, origin: string, layer?: number) {
    this.section = section;
    this.#origin = origin;
    this.#label = `${layer === undefined ? "" : `layer ${layer} `}[${section.type}]`;
  }

  /**
   * Refuses the section, or the value of one of its keys.
   *
   * @throws {ModelError} always
   */
  refuse(what: string, key?: string): never {
    const line = (key === undefined ? undefined : this.section.entries.get(key)?.line) ??
      this.section.line;
    throw new ModelError(`Cannot import ${this.#origin}: ${this.#label}, line ${line}: ${what}`);
  }

  /** Whether the section has a key. */
  has(key: string): boolean {
    return this.section.entries.has(key);
  }

  #take(key: string): string | undefined {
    this.#read.add(key);
    return this.section.entries.get(key)?.value;
  }

  /** The text of a key. */
  text(key: string, otherwise: string): string {
    return this.#take(key) ?? otherwise;
  }

  /** A whole number from `least`. */
  int(key: string, otherwise: number, least = -MAX_INT): number {
    const text = this.#take(key);
    if (text === undefined) return otherwise;
    const value = Number(text.replace(COMMENT, ""));
    if (!WHOLE.test(text.replace(COMMENT, "")) || value < least || value > MAX_INT) {
      const range = least > -MAX_INT ? ` from ${least}` : "";
      this.refuse(`${key}=${quoted(text)}; write a whole number${range}`, key);
    }
    return value;
  }

  /** A finite number. */
  float(key: string, otherwise: number): number {
    const text = this.#take(key);
    if (text === undefined) return otherwise;
    const value = Number(text.replace(COMMENT, ""));
    if (!REAL.test(text.replace(COMMENT, "")) || !Number.isFinite(value)) {
      this.refuse(`${key}=${quoted(text)}; write a number`, key);
    }
    return value;
  }

  /** Numbers with commas between them; undefined where the key is absent. */
  list(key: string, kind: "whole" | "real"): number[] | undefined {
    const text = this.#take(key);
    return text?.replace(COMMENT, "").split(",").map((item) => {
      const value = Number(item);
      const good = kind === "whole"
        ? WHOLE.test(item) && Math.abs(value) <= MAX_INT
        : REAL.test(item) && Number.isFinite(value);
      if (!good) {
        this.refuse(
          `${key}=${quoted(text)} has the item ${quoted(item)}; write ${
            kind === "whole" ? "whole " : ""
          }numbers with commas between them`,
          key,
        );
      }
      return value;
    });
  }

  /** Refuses a key whose value is not the one that means "not used". */
  unused(key: string, neutral: number, why: string): void {
    if (this.float(key, neutral) !== neutral) {
      const { value } = this.section.entries.get(key)!;
      this.refuse(`${key}=${quoted(value)} ${why}; it is not supported`, key);
    }
  }

  /** Keys of the section that nothing has read, apart from those without effect on a forward pass. */
  unread(withoutEffect: ReadonlySet<string>): string[] {
    return [...this.section.entries.keys()]
      .filter((key) => !this.#read.has(key) && !withoutEffect.has(key));
  }

  /** Refuses keys that nothing has read: a misspelt one, or another program's, would change the result unseen. */
  finish(withoutEffect: ReadonlySet<string>): void {
    const [key] = this.unread(withoutEffect);
    if (key !== undefined) {
      this.refuse(`unknown key ${quoted(key)}; correct it, or remove the line`, key);
    }
  }

  /** Remarks on keys that occur twice and were read. */
  repetitions(): string[] {
    return [...this.section.repeated].filter(([key]) => this.#read.has(key)).map(([key, line]) =>
      `${this.#origin}: ${this.#label}, line ${line}: ${key} is repeated; the first counts, as in Darknet`
    );
  }
}
