/**
 * Makes the shipped models: fetches the packages their weights come from, checks each file, converts it, and writes the
 * ONNX files and cards; or compares what is there with what would be written.
 *
 * The packages are installed by Deno into a temporary folder, so the tool itself does not depend on them and whatever
 * registry and cache this machine is set up with are used.
 *
 * @module
 */

import { join } from "node:path";
import { ModelError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import { checkGraph } from "../../src/onnx/check.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { cardText, type NetRecipe, NETS, type SourcePackage } from "./nets.ts";

/** One file that was made. */
export interface BuiltFile {
  readonly path: string;
  readonly bytes: number;
  /** What the folder held: the same bytes, others, or nothing. */
  readonly before: "same" | "different" | "missing";
}

/** Converts one net. @returns its ONNX file and its card. @throws {ModelError} when a source file is not the one known. */
export function buildNet(
  recipe: NetRecipe,
  sources: readonly [Uint8Array, Uint8Array],
): { model: Uint8Array; card: string } {
  recipe.files.forEach(({ path, sha256: expected }, i) => {
    const found = sha256(sources[i]);
    if (found === expected) return;
    throw new ModelError(
      `Cannot build ${recipe.name}: sha256 of ${path} in ${recipe.from.name} ${recipe.from.version} is ${found}, not ${expected}`,
    );
  });
  const graph = recipe.build(...sources);
  checkGraph(graph);
  const model = writeModel(graph);
  return { model, card: cardText(recipe, { sha256: sha256(model), bytes: model.length }) };
}

/**
 * Builds all shipped nets.
 *
 * @param folder where the files belong (`models/`)
 * @param write whether to write them; otherwise they are only compared
 * @throws {ModelError} when a package cannot be downloaded or does not hold the files known
 */
export async function buildModels(folder: string, write: boolean): Promise<BuiltFile[]> {
  const temporary = await Deno.makeTempDir({ prefix: "emocam-models-" });
  try {
    const packages = new Map(NETS.map(({ from }) => [from.name, from]));
    await install(temporary, [...packages.values()]);
    const built: BuiltFile[] = [];
    for (const recipe of NETS) {
      const root = join(temporary, "node_modules", recipe.from.name);
      const [manifest, weights] = recipe.files.map(({ path }) => Deno.readFile(join(root, path)));
      const { model, card } = buildNet(recipe, [await manifest!, await weights!]);
      built.push(await place(join(folder, `${recipe.name}.onnx`), model, write));
      built.push(
        await place(join(folder, `${recipe.name}.json`), new TextEncoder().encode(card), write),
      );
    }
    return built;
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function install(folder: string, packages: readonly SourcePackage[]): Promise<void> {
  const imports = Object.fromEntries(
    packages.map(({ name, version }) => [name, `npm:${name}@${version}`]),
  );
  await Deno.writeTextFile(
    join(folder, "deno.json"),
    JSON.stringify({ nodeModulesDir: "auto", imports }),
  );
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
    throw new ModelError(`Cannot install the packages the models are made of: ${reason}`);
  }
}

async function place(path: string, content: Uint8Array, write: boolean): Promise<BuiltFile> {
  let before: BuiltFile["before"] = "missing";
  try {
    before = sha256(await Deno.readFile(path)) === sha256(content) ? "same" : "different";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (write && before !== "same") await Deno.writeFile(path, content);
  return { path, bytes: content.length, before };
}
