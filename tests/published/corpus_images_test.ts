import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { UsageError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import { fetchImages, type FetchImagesOptions } from "../../src/published/corpus_images.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { type Asked, someBytes, withServer } from "../download/breaking_server.ts";
import { assertEvery, assertLess, assertNone, assertSome } from "../assert_that.ts";

/** A different picture for each name. */
async function picture(seed: number, side = 40, format: "jpeg" | "png" = "jpeg") {
  const raw = someBytes(side * side * 3 + seed).subarray(seed);
  const image = sharp(raw, { raw: { width: side, height: side, channels: 3 } });
  return new Uint8Array(await image.toFormat(format).toBuffer());
}

const PICTURES = await Promise.all([0, 1, 2].map((seed) => picture(seed)));
const SMALL = await picture(0, 8, "png");

/** What the made-up web holds. */
function handler(request: Request): Response {
  const { pathname } = new URL(request.url);
  const jpeg = (bytes: Uint8Array<ArrayBuffer>) =>
    new Response(bytes, { headers: { "content-type": "image/jpeg" } });
  switch (pathname) {
    case "/0.jpg":
    case "/1.jpg":
    case "/2.jpg":
      return jpeg(PICTURES[Number(pathname[1])]);
    case "/page.jpg":
      return new Response("<html>gone</html>", { headers: { "content-type": "text/html" } });
    case "/sneaky.jpg":
      return jpeg(new TextEncoder().encode("<!doctype html><p>not here"));
    case "/cut.jpg":
      return jpeg(PICTURES[0].slice(0, 700));
    case "/text.jpg":
      return jpeg(new TextEncoder().encode("nothing"));
    case "/small.png":
      return jpeg(SMALL);
    case "/busy":
      return new Response("busy", { status: 503 });
    default:
      return new Response("no", { status: pathname === "/forbidden" ? 403 : 404 });
  }
}

const OPTIONS = { concurrency: 4, perHost: 2, pace: 0, delays: [], userAgent: "test/1" };

function listOf(url: string) {
  const at = (...paths: string[]) => paths.map((path) => path.includes(":") ? path : url + path);
  return [
    { path: "Run_2/z/first.jpg", urls: at("/0.jpg") },
    { path: "Run_1/a b/second.jpg", urls: at("/gone", "/page.jpg", "/1.jpg", "/2.jpg") },
    { path: "Run_1/a b/none.jpg", urls: at("/gone", "/forbidden", "ftp://x/y.jpg") },
    { path: "Run_1/pages.jpg", urls: at("/page.jpg", "/sneaky.jpg") },
    { path: "Run_1/broken.jpg", urls: at("/cut.jpg", "/text.jpg", "/small.png") },
    { path: "Run_1/busy.jpg", urls: at("/busy") },
  ];
}

async function rows(file: string): Promise<Record<string, string>[]> {
  return parse(await Deno.readTextFile(file), { columns: true });
}

function filesBelow(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(join(folder, prefix))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(folder, `${prefix}${name}/`) : [prefix + name]
  ).sort();
}

async function withWeb(
  use: (context: {
    url: string;
    asked: Asked[];
    out: string;
    fetch: (more?: Partial<FetchImagesOptions>) => ReturnType<typeof fetchImages>;
  }) => Promise<void>,
): Promise<void> {
  await withServer(handler, ({ url, asked }) =>
    withFolder((folder) => {
      const out = join(folder, "corpus");
      return use({
        url,
        asked,
        out,
        fetch: (more) => fetchImages(listOf(url), { ...OPTIONS, out, ...more }),
      });
    }));
}

Deno.test("images are fetched from the first address that gives one; the others' failures have their reasons", async () => {
  await withWeb(async ({ url, asked, out, fetch }) => {
    const seen: number[] = [];
    const counts = await fetch({
      onProgress: ({ present, fetched, failed, skipped }) =>
        seen.push(present + fetched + failed + skipped),
    });
    assert.deepEqual(counts, { total: 6, present: 0, fetched: 2, failed: 4, skipped: 0 });
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6]);
    assertEvery(asked, ({ userAgent }) => userAgent === "test/1");
    assertNone(asked, ({ path }) => path === "/2.jpg", "no address is asked without need");
    assert.deepEqual(filesBelow(out), [
      "Run_1/a b/second.jpg",
      "Run_2/z/first.jpg",
      "failures.csv",
      "manifest.csv",
    ]);
    assert.deepEqual(await Deno.readFile(join(out, "Run_1/a b/second.jpg")), PICTURES[1]);
    assert.deepEqual(
      await rows(join(out, "manifest.csv")),
      [
        ["Run_1/a b/second.jpg", 1],
        ["Run_2/z/first.jpg", 0],
      ].map(([path, i]) => ({
        path,
        bytes: String(PICTURES[i as number].length),
        sha256: sha256(PICTURES[i as number]),
        url: `${url}/${i}.jpg`,
      })),
    );
    const failures = await rows(join(out, "failures.csv"));
    assert.deepEqual(
      failures.map(({ path, url: from, kind, status }) => [
        path,
        from!.replace(url, ""),
        kind,
        status,
      ]),
      [
        ["Run_1/a b/none.jpg", "/gone", "permanent", "404"],
        ["Run_1/a b/none.jpg", "/forbidden", "permanent", "403"],
        ["Run_1/a b/none.jpg", "ftp://x/y.jpg", "permanent", ""],
        ["Run_1/broken.jpg", "/cut.jpg", "permanent", ""],
        ["Run_1/broken.jpg", "/text.jpg", "permanent", ""],
        ["Run_1/broken.jpg", "/small.png", "permanent", ""],
        ["Run_1/busy.jpg", "/busy", "transient", "503"],
        ["Run_1/pages.jpg", "/page.jpg", "permanent", ""],
        ["Run_1/pages.jpg", "/sneaky.jpg", "permanent", ""],
      ],
    );
    const reasons = [
      /answers 404/,
      /answers 403/,
      /not an http or https address/,
      /Cannot decode the image: .*truncated/,
      /Cannot decode the image/,
      /8 x 8 pixels: a place holder/,
      /answers 503/,
      /a web page \(text\/html\)/,
      /a web page came/,
    ];
    failures.forEach(({ reason }, i) => assert.match(reason!, reasons[i]));
  });
});

Deno.test("a later call asks only for what is missing and not known to be gone", async () => {
  await withWeb(async ({ url, asked, out, fetch }) => {
    await fetch();
    const tables = () =>
      Promise.all(
        ["manifest.csv", "failures.csv"].map((name) => Deno.readTextFile(join(out, name))),
      );
    const first = await tables();
    asked.length = 0;
    const counts = await fetch();
    assert.deepEqual(counts, { total: 6, present: 2, fetched: 0, failed: 1, skipped: 3 });
    assert.deepEqual(asked.map(({ path }) => path), ["/busy"]);
    assert.deepEqual(await tables(), first);

    // Asked for again when told so, fetched again when removed, and a file brought by hand is taken.
    await Deno.remove(join(out, "Run_2/z/first.jpg"));
    await Deno.writeFile(join(out, "Run_1/pages.jpg"), PICTURES[2]);
    asked.length = 0;
    const again = await fetch({ retry: true });
    assert.deepEqual(again, { total: 6, present: 2, fetched: 1, failed: 3, skipped: 0 });
    assertSome(asked, ({ path }) => path === "/cut.jpg");
    const manifest = await rows(join(out, "manifest.csv"));
    assert.deepEqual(manifest.map((row) => [row.path, row.sha256, row.url]), [
      ["Run_1/a b/second.jpg", sha256(PICTURES[1]), `${url}/1.jpg`],
      ["Run_1/pages.jpg", sha256(PICTURES[2]), ""],
      ["Run_2/z/first.jpg", sha256(PICTURES[0]), `${url}/0.jpg`],
    ]);
    const failed = new Set((await rows(join(out, "failures.csv"))).map(({ path }) => path));
    assert.deepEqual([...failed], ["Run_1/a b/none.jpg", "Run_1/broken.jpg", "Run_1/busy.jpg"]);
  });
});

Deno.test("rows that a killed call left are kept, a torn one is not", async () => {
  await withWeb(async ({ url, asked, out, fetch }) => {
    await Deno.mkdir(join(out, "Run_2/z"), { recursive: true });
    await Deno.writeFile(join(out, "Run_2/z/first.jpg"), PICTURES[0]);
    await Deno.writeTextFile(
      join(out, "manifest.csv"),
      `path,bytes,sha256,url\nRun_2/z/first.jpg,5,${
        sha256(PICTURES[0])
      },${url}/0.jpg\nRun_1/a b/sec`,
    );
    await Deno.writeTextFile(
      join(out, "failures.csv"),
      `path,url,kind,status,reason\nRun_1/pages.jpg,${url}/page.jpg,permanent,,x\nRun_1/pages.jpg,${url}/sneaky.jpg,permanent,,"a ""b"""\nRun_1/busy.jpg,"${url}/bu`,
    );
    const counts = await fetch();
    assert.deepEqual(counts, { total: 6, present: 1, fetched: 1, failed: 3, skipped: 1 });
    assertNone(asked, ({ path }) => path === "/sneaky.jpg");
    const manifest = await rows(join(out, "manifest.csv"));
    assert.equal(manifest[1].url, `${url}/0.jpg`);
    assert.equal(manifest[1].bytes, String(PICTURES[0].length));
  });
});

Deno.test("an interrupted call keeps what it has, recorded row by row", async () => {
  await withWeb(async ({ url, out, fetch }) => {
    const abort = new AbortController();
    await assert.rejects(
      fetch({
        concurrency: 1,
        signal: abort.signal,
        onProgress: ({ fetched, failed }) =>
          fetched + failed === 3 && abort.abort(new Error("stop")),
      }),
      /stop/,
    );
    assert.equal((await rows(join(out, "manifest.csv"))).length, 2);
    assert.deepEqual((await rows(join(out, "failures.csv"))).map((row) => row.url), [
      `${url}/gone`,
      `${url}/forbidden`,
      "ftp://x/y.jpg",
    ]);
    assert.deepEqual(await fetch(), { total: 6, present: 2, fetched: 0, failed: 3, skipped: 1 });
  });
});

Deno.test("hosts are asked as seldom as told", async () => {
  let active = 0, most = 0;
  const times: number[] = [];
  await withServer(async () => {
    times.push(performance.now());
    most = Math.max(most, ++active);
    await new Promise((resolve) => setTimeout(resolve, 30));
    active--;
    return new Response(PICTURES[0]);
  }, ({ url }) =>
    withFolder(async (out) => {
      const images = Array.from({ length: 6 }, (_, i) => ({
        path: `${i}.jpg`,
        urls: [`${url}/${i}`],
      }));
      await fetchImages(images, { ...OPTIONS, out, concurrency: 6, perHost: 2, pace: 20 });
      assert.equal(most, 2);
      const gaps = times.slice(1).map((time, i) => time - times[i]);
      // The server sees them a little later or earlier than they were sent.
      assert.ok(gaps.every((gap) => gap > 10), gaps.join());
    }));
});

Deno.test("without any answer it stops early; a folder that cannot be written is refused", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const images = Array.from({ length: 500 }, (_, i) => ({
    path: `${i}.jpg`,
    urls: [`http://127.0.0.1:${port}/${i}`],
  }));
  await withFolder(async (out) => {
    const refused = (pattern: RegExp) => (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, pattern);
      return true;
    };
    await assert.rejects(
      fetchImages(images, { ...OPTIONS, out, perHost: 99 }),
      refused(/nothing answers for the first 24; check the network/),
    );
    assertLess((await rows(join(out, "failures.csv"))).length, 40);
    await Deno.writeTextFile(join(out, "failures.csv"), "a,b\n1,2\n");
    await assert.rejects(fetchImages(images, { ...OPTIONS, out }), refused(/its header is a,b/));
    const file = join(out, "file");
    await Deno.writeTextFile(file, "");
    await assert.rejects(
      fetchImages(images, { ...OPTIONS, out: join(file, "x") }),
      refused(/Cannot write the corpus in .*; choose another folder/),
    );
    assert.equal(dirname(file), out);
  });
});

Deno.test("the Internet Archive is asked last, if at all", async () => {
  const { fetch: real } = globalThis;
  const asked: string[] = [];
  globalThis.fetch = (input) => {
    asked.push(String(input));
    const ok = String(input).startsWith("https://web.archive.org/");
    return Promise.resolve(new Response(ok ? PICTURES[0] : "no", { status: ok ? 200 : 404 }));
  };
  try {
    await withFolder(async (out) => {
      const images = [{
        path: "a.jpg",
        urls: ["", "http://one.invalid/a.jpg?x=1", "http://two.invalid/"],
      }];
      assert.equal((await fetchImages(images, { ...OPTIONS, out })).failed, 1);
      asked.length = 0;
      assert.equal((await fetchImages(images, { ...OPTIONS, out })).skipped, 1);
      assert.equal((await fetchImages(images, { ...OPTIONS, out, archive: true })).fetched, 1);
      assert.deepEqual(asked, [
        "http://one.invalid/a.jpg?x=1",
        "http://two.invalid/",
        "https://web.archive.org/web/20230901if_/http://one.invalid/a.jpg?x=1",
      ]);
    });
  } finally {
    globalThis.fetch = real;
  }
});
