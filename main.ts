/**
 * emocam: object × emotion associations from class activation maps. See README.md.
 *
 * @module
 */

import { main } from "./src/commands/mod.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
