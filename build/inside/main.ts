/**
 * Where the binary starts: as `main.ts`, and without the network for every command but those that fetch. The permissions that
 * `deno task` would give or not are all compiled in, so they are given up here.
 *
 * @module
 */

import { main } from "../../src/commands/mod.ts";

const fetches = /^(models|corpus) fetch\b/.test(Deno.args.join(" "));
if (!fetches) {
  await Deno.permissions.revoke({ name: "net" });
  await Deno.permissions.revoke({ name: "import" });
}

Deno.exit(await main(Deno.args));
