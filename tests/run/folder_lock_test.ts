import assert from "node:assert/strict";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../src/base/errors.ts";
import { LOCK_FILE, lockFolder } from "../../src/run/folder_lock.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { assertClose } from "../assert_close.ts";

const CHILD = fileURLToPath(new URL("lock_child.ts", import.meta.url));

Deno.test("a folder has one holder, who is named to others, and is free after it", async () => {
  await withFolder((folder) => {
    {
      using lock = lockFolder(folder, "the first");
      assert.equal(lock.broken, undefined);
      assert.throws(
        () => lockFolder(folder, "the second"),
        (error: Error) =>
          error instanceof UsageError && error.message.includes(
            `process ${process.pid} on ${hostname()} (the first, since 2`,
          ),
      );
      const holder = JSON.parse(Deno.readTextFileSync(join(folder, LOCK_FILE)));
      assert.equal(holder.pid, process.pid);
      assertClose(Date.now(), Date.parse(holder.started), 60_000);
    }
    assert.equal(Deno.readTextFileSync(join(folder, LOCK_FILE)), "");
    using again = lockFolder(folder, "the third");
    assert.equal(again.broken, undefined);
    return Promise.resolve();
  });
});

Deno.test("the lock of a killed process is taken over by the next one, which says whose it was", async () => {
  await withFolder(async (folder) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--allow-read",
        "--allow-write",
        "--allow-sys",
        CHILD,
        folder,
      ],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "held\n");
    assert.throws(() => lockFolder(folder, "me"), new RegExp(`process ${child.pid} on `));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    using lock = lockFolder(folder, "me");
    assert.equal(lock.broken?.pid, child.pid);
    assert.equal(lock.broken?.work, "a test");
  });
});

Deno.test("a lock file with something else in it is taken, and a path that is not a folder is reported", async () => {
  await withFolder((folder) => {
    for (const text of ["", "{", "[]", "null", '{"pid":"x"}', "x".repeat(10_000)]) {
      Deno.writeTextFileSync(join(folder, LOCK_FILE), text);
      using lock = lockFolder(folder, "me");
      assert.equal(lock.broken, undefined, text);
    }
    assert.throws(() => lockFolder(join(folder, "none"), "me"), /^UsageError: Cannot lock .*none/);
    return Promise.resolve();
  });
});
