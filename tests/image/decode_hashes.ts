/** Prints, for each file named, the SHA-256 of its decoded pixels or why it cannot be decoded, and at last the library's build. */

import { sha256 } from "../../src/base/json.ts";
import { messageOf } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { libvipsBuild } from "../../src/image/libvips.ts";

/** What a file's bytes decode to: size and SHA-256 of the pixels, or the reason why they do not. */
export async function decodedAs(path: string): Promise<string> {
  try {
    const { width, height, data } = await decodeImage(await Deno.readFile(path));
    return `${width} x ${height} ${sha256(data)}`;
  } catch (error) {
    return messageOf(error);
  }
}

if (import.meta.main) {
  const found = [];
  for (const path of Deno.args) found.push(await decodedAs(path));
  console.log(JSON.stringify({ found, build: await libvipsBuild() }));
}
