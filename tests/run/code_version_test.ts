import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { codeCommit } from "../../src/run/code_version.ts";
import { withFolder } from "../corpus/face_corpus.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OTHER = COMMIT.replaceAll("0", "f");

Deno.test("the commit is read from loose and packed branches, a detached head and a separate work tree", async () => {
  const cases: [Record<string, string>, string | undefined][] = [
    [{ ".git/HEAD": `${COMMIT}\n` }, COMMIT],
    [{ ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${COMMIT}\n` }, COMMIT],
    [{
      ".git/HEAD": "ref: refs/heads/a/b\n",
      ".git/packed-refs":
        `# pack-refs\n${OTHER} refs/heads/x/a/b\n${COMMIT} refs/heads/a/b\n^${OTHER}\n`,
    }, COMMIT],
    [{
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/refs/heads/main": COMMIT,
      ".git/packed-refs": `${OTHER} refs/heads/main\n`,
    }, COMMIT],
    [{
      ".git": "gitdir: main/.git/worktrees/one\n",
      "main/.git/worktrees/one/HEAD": "ref: refs/heads/one\n",
      "main/.git/worktrees/one/commondir": "../..\n",
      "main/.git/refs/heads/one": `${COMMIT}\n`,
    }, COMMIT],
    [{}, undefined],
    [{ ".git/HEAD": "ref: refs/heads/main\n" }, undefined],
    [{ ".git/HEAD": "ref: ../../etc/passwd\n" }, undefined],
    [{ ".git/HEAD": "nonsense\n" }, undefined],
    [{ ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "short" }, undefined],
  ];
  for (const [files, expected] of cases) {
    await withFolder(async (folder) => {
      for (const [name, text] of Object.entries(files)) {
        await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
        await Deno.writeTextFile(join(folder, name), text);
      }
      assert.equal(await codeCommit(folder), expected, JSON.stringify(files));
    });
  }
});
