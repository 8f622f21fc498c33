/**
 * Where the full set of reference outputs lies, if it is on this machine: `../shared/goldens` beside the checkout, or the folder in
 * `EMOCAM_GOLDENS`. Tests that need it are skipped with their reason in their name where it is absent.
 */

function find(): URL | undefined {
  const named = Deno.env.get("EMOCAM_GOLDENS");
  const url = named
    ? new URL(`file://${Deno.realPathSync(named)}/`)
    : new URL("../../shared/goldens/", import.meta.url);
  try {
    return Deno.statSync(url).isDirectory ? url : undefined;
  } catch {
    return undefined;
  }
}

/** The folder, ending in a slash, or `undefined`. */
export const goldens: URL | undefined = find();

/** Defines a test against the full reference set; skipped, saying why, where the set is absent. */
export function goldenTest(name: string, run: (goldens: URL) => void | Promise<void>): void {
  Deno.test({
    name: goldens ? name : `${name} (skipped: no ../shared/goldens here)`,
    ignore: !goldens,
    fn: () => run(goldens!),
  });
}
