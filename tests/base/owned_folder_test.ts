import assert from "node:assert/strict";
import { join } from "node:path";
import { OwnFiles } from "../../src/base/own_files.ts";
import { OwnedFolder, RECORD_FILE } from "../../src/base/owned_folder.ts";
import { isStamped, stampPng } from "../../src/base/png_stamp.ts";
import { encodePng } from "../../src/image/render.ts";
import { withFolder } from "../corpus/face_corpus.ts";

Deno.test("a file is ours by its size and time, or by its content; a link and an edited one are not", () =>
  withFolder(async (folder) => {
    const owned = new OwnedFolder(folder);
    const path = join(folder, "sub", "a.csv");
    assert.equal(owned.find("sub/a.csv"), "nothing");
    await owned.write("sub/a.csv", "one");
    assert.equal(new OwnedFolder(folder).find("sub/a.csv"), "ours");
    Deno.utimeSync(path, 1, 1);
    assert.equal(owned.find("sub/a.csv"), "ours");
    Deno.writeTextFileSync(path, "two");
    assert.equal(owned.find("sub/a.csv"), "foreign");
    await assert.rejects(owned.write("sub/a.csv", "three"), /was changed after emocam wrote it/);
    await owned.write("sub/a.csv", "two"); // what is there says the same
    assert.equal(owned.find("sub/a.csv"), "foreign");
    Deno.writeTextFileSync(path, "one");
    Deno.renameSync(path, join(folder, "b.csv"));
    Deno.symlinkSync(join(folder, "b.csv"), path);
    assert.equal(owned.find("sub/a.csv"), "foreign");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      ...[RECORD_FILE, "b.csv", "sub"],
    ]);
  }));

Deno.test("a process killed between record and rename leaves the older file ours", () =>
  withFolder(async (folder) => {
    const owned = new OwnedFolder(folder);
    await owned.write("a.csv", "one");
    const killed = owned.begin("a.csv");
    killed.writeSync("two");
    const { renameSync } = Deno;
    Deno.renameSync = () => {
      throw new Error("killed");
    };
    try {
      assert.throws(() => killed.finish(), /killed/);
    } finally {
      Deno.renameSync = renameSync;
    }
    const next = new OwnedFolder(folder);
    assert.equal(next.find("a.csv"), "ours");
    await next.write("a.csv", "three");
    next.tidy();
    assert.equal(Deno.readTextFileSync(join(folder, RECORD_FILE)).trim().split("\n").length, 1);
  }));

Deno.test("removing takes what is on record and was not written anew, with folders that this empties", () =>
  withFolder(async (folder) => {
    const before = new OwnedFolder(folder);
    for (const name of ["maps/a/1.npy", "maps/b/1.npy", "kept.csv", "edited.csv"]) {
      await before.write(name, name);
    }
    Deno.writeTextFileSync(join(folder, "maps", "b", "mine.txt"), "mine");
    Deno.writeTextFileSync(join(folder, "edited.csv"), "mine");
    const owned = new OwnedFolder(folder);
    await owned.write("kept.csv", "again");
    assert.deepEqual(owned.removeOthers((name) => name !== "other"), ["edited.csv"]);
    assert.deepEqual([...Deno.readDirSync(join(folder, "maps"))].map(({ name }) => name), ["b"]);
    assert.deepEqual(new OwnedFolder(folder).names(), ["kept.csv"]);
    owned.removeAll();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      ...["edited.csv", "maps"],
    ]);
  }));

Deno.test("a record that leads out of its folder, or is damaged, says nothing", () =>
  withFolder((folder) => {
    const line = (file: string) => `\n{"file":"${file}","bytes":1,"time":1,"sha256":"00"}`;
    Deno.writeTextFileSync(
      join(folder, RECORD_FILE),
      line("../a") + line("/etc/b") + line("x/../../c") + line("C:/d") + "\n{" + line("good") +
        "\n[]\nnull" + '\n{"file":"torn',
    );
    assert.deepEqual(new OwnedFolder(folder).names(), ["good"]);
    return Promise.resolve();
  }));

Deno.test("marked pictures are known anywhere, others are not", () =>
  withFolder(async (folder) => {
    const plain = await encodePng({ width: 1, height: 1, data: new Uint8Array([1, 2, 3, 255]) });
    const [own, other] = ["own.png", "other.png"].map((name) => join(folder, name));
    await Deno.writeFile(own, stampPng(plain));
    await Deno.writeFile(other, plain);
    assert.deepEqual([own, other, join(folder, "none.png")].map(isStamped), [true, false, false]);
    const files = new OwnFiles();
    assert.deepEqual([files.has(own), files.has(other)], [true, false]);
    // The checksum of Python's zlib 1.3.1: zlib.crc32(b"tEXtSoftware\0emocam").
    assert.equal(new DataView(stampPng(plain).buffer).getUint32(33 + 8 + 15), 2394335137);
  }));
