/**
 * An audit list: which claims a model should, may and must not give.
 *
 * @module
 */

import { columnAt, readCsvTable } from "../../base/csv_table.ts";
import { messageOf, UsageError } from "../../base/errors.ts";
import { decodeText } from "../../base/text.ts";
import type { Claim } from "./claim.ts";

const EXPECTATIONS = ["expected", "allowed", "forbidden"] as const;
/** Every object, or every class. */
const ANY = "*";

/** One line of an audit list. */
export interface Expectation {
  readonly object: string;
  readonly class: string;
  readonly is: typeof EXPECTATIONS[number];
  /** Its line in the file. */
  readonly line: number;
}

/** What became of an audit. */
export interface Audit {
  /** One line each; empty where the run passes. */
  readonly faults: readonly string[];
  readonly expectations: number;
}

/**
 * Reads an audit list: CSV with the columns `object`, `class` and `expect` (expected, allowed or forbidden); `*` means every object or
 * class.
 *
 * @param classes of the classifier
 * @throws {UsageError} for a list that cannot be read, an expectation that is none, and a class that the classifier does not have.
 */
export async function readExpectations(
  file: string,
  classes: readonly string[],
): Promise<Expectation[]> {
  const refuse = (what: string, then: string): never => {
    throw new UsageError(`Cannot read the audit list ${file}: ${what}; ${then}`);
  };
  const table = await (async () => {
    try {
      return readCsvTable(decodeText(await Deno.readFile(file)).text);
    } catch (error) {
      return refuse(messageOf(error), "give CSV with the columns object, class, expect");
    }
  })();
  const [object, target, expect] = ["object", "class", "expect"].map((name) => {
    const at = columnAt(table.columns, name);
    return at >= 0 ? at : refuse(
      `it has the columns ${table.columns.join(", ") || "(none)"}`,
      "it needs object, class and expect",
    );
  });
  return table.rows.map(({ fields, line }) => {
    const is = EXPECTATIONS.find((word) => word === fields[expect].toLowerCase());
    if (is === undefined) {
      return refuse(
        `line ${line} expects ${JSON.stringify(fields[expect])}`,
        `give ${EXPECTATIONS.join(", ")}`,
      );
    }
    if (fields[target] !== ANY && !classes.includes(fields[target])) {
      return refuse(
        `line ${line} names the class ${JSON.stringify(fields[target])}`,
        `give ${ANY} or one of ${classes.join(", ")}`,
      );
    }
    return { object: fields[object], class: fields[target], is, line };
  });
}

/**
 * Compares claims with an audit list. A supported claim is judged by the first line that it fits; one that fits none is allowed. An expected
 * line needs a supported claim that it fits, of any method.
 */
export function audit(claims: readonly Claim[], expectations: readonly Expectation[]): Audit {
  const supported = claims.filter(({ verdict }) => verdict === "supported");
  const faults: string[] = [];
  for (const claim of supported) {
    const rule = expectations.find((own) => fits(own, claim));
    if (rule?.is === "forbidden") {
      faults.push(
        `forbidden by line ${rule.line}, but supported: ${claim.object} → ${claim.class} (${claim.method})`,
      );
    }
  }
  for (const rule of expectations) {
    if (rule.is !== "expected" || supported.some((claim) => fits(rule, claim))) continue;
    const own = claims.find((claim) => fits(rule, claim));
    faults.push(
      `expected by line ${rule.line}, but not supported: ${rule.object} → ${rule.class} (${
        own === undefined ? "far from it" : `${own.verdict}, ${own.method}`
      })`,
    );
  }
  return { faults, expectations: expectations.length };
}

function fits(rule: Expectation, claim: Pick<Claim, "object" | "class">): boolean {
  return [ANY, claim.object].includes(rule.object) && [ANY, claim.class].includes(rule.class);
}
