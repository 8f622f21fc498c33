/** Every file under a folder (a URL ending in a slash) whose name ends so, in the order of the file system. */
export async function* walkFiles(folder: URL, ending: string): AsyncGenerator<URL> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) yield* walkFiles(new URL(`${entry.name}/`, folder), ending);
    else if (entry.name.endsWith(ending)) yield new URL(entry.name, folder);
  }
}
