/**
 * The axioms that methods fail.
 *
 * @module
 */

import type { AxiomResult } from "./axioms/mod.ts";

/** The axioms that a method fails, by method. Controls are there to fail: they are left out. */
export function failedAxioms(
  results: readonly Pick<AxiomResult, "method" | "axiom" | "verdict">[],
  methods: readonly { readonly name: string; readonly control: boolean }[],
): Map<string, string[]> {
  const failed = new Map<string, string[]>();
  for (const { name, control } of methods) {
    const axioms = results.filter(({ method, verdict }) => method === name && verdict === "fails")
      .map(({ axiom }) => axiom);
    if (axioms.length > 0 && !control) failed.set(name, axioms);
  }
  return failed;
}
