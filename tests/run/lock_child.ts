/** Takes the lock of a folder, says so, and waits to be killed. */

import { lockFolder } from "../../src/run/folder_lock.ts";

const lock = lockFolder(Deno.args[0], "a test");
console.log(lock.broken ? `broken ${lock.broken.pid}` : "held");
await new Promise((end) => setTimeout(end, 30_000));
lock[Symbol.dispose]();
