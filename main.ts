/**
 * emocam: object × emotion associations from class activation maps. See README.md.
 *
 * @module
 */

import { start } from "./src/commands/mod.ts";

if (import.meta.main) Deno.exit(await start(Deno.args));
