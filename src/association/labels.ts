/**
 * What methods are called in tables.
 *
 * @module
 */

/** How a method is called in tables: with what must be known of it wherever it appears, that it is a control, or what it fails. */
export function methodLabels(
  controls: ReadonlySet<string>,
  failed: ReadonlyMap<string, readonly string[]>,
): (method: string) => string {
  return (method) => {
    if (controls.has(method)) return `${method} (control)`;
    const axioms = failed.get(method);
    return axioms ? `${method} (fails ${axioms.join(", ")})` : method;
  };
}
