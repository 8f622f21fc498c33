import assert from "node:assert/strict";
import { join } from "node:path";
import { findImages } from "../../src/corpora/find_images.ts";
import { MODELS_FOLDER } from "../../src/runtime/card.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { withServer } from "../download/breaking_server.ts";
import { emocam, emocamProcess } from "./cli.ts";
import { assertExcludes } from "../assert_that.ts";

const PHOTO = await (async () => {
  const folder = join(MODELS_FOLDER, "photos");
  for await (const { name } of Deno.readDir(folder)) {
    if (/\.jpg$/.test(name)) return await Deno.readFile(join(folder, name));
  }
  throw new Error("there is no photograph");
})();

const HEADER =
  "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime\n";
const row = (path: string) => `1,u,${path},T,A,1,2,Joy,F,3,d\n`;

Deno.test("corpus fetch findingemo makes a corpus that analyze takes, with what was lost and why", async () => {
  await withServer(
    (request) =>
      request.url.endsWith("good.jpg") ? new Response(PHOTO) : new Response("no", { status: 404 }),
    ({ url }) =>
      withFolder(async (folder) => {
        const urls = join(folder, "urls.json"), ann = join(folder, "annotations_single.ann");
        const out = join(folder, "corpus");
        await Deno.writeTextFile(
          urls,
          JSON.stringify([
            { rel_path: "/Run_1/x/a.jpg", idx_url: 1, url: `${url}/dead.jpg` },
            { rel_path: "/Run_1/x/a.jpg", idx_url: 2, url: `${url}/good.jpg` },
            { rel_path: "/Run_2/y/b.jpg", idx_url: 1, url: `${url}/dead.jpg` },
            { rel_path: "/Run_2/y/c.jpg", idx_url: 1, url: `${url}/good.jpg` },
          ]),
        );
        await Deno.writeTextFile(
          ann,
          HEADER + row("/Run_1/x/a.jpg") + row("/Run_2/y/b.jpg") + row("/Run_3/z.jpg"),
        );
        const args = [
          ...["corpus", "fetch", "findingemo", "--urls", urls, "--out", out, "--annotations", ann],
          ...["--pace", "0", "--retries", "0"],
        ];
        const limited = await emocam(...args, "--limit", "1");
        assert.match(limited.out, /^1 of 1 images are in .*corpus \(1 fetched now\)/m);
        const { status, out: text } = await emocam(...args);
        assert.equal(status, 0);
        assert.match(text, /^FindingEmo: .*CC BY-NC-SA 4\.0/);
        assert.match(text, /^cite: Mertens/m);
        assert.match(text, /^2 of 3 images are in .*corpus \(1 fetched now\): .*manifest\.csv$/m);
        assert.match(text, /^1 could not be downloaded: .*failures\.csv$/m);
        assert.match(
          text,
          /^1 of 3 annotated images are there; use them: emocam analyze .*corpus .*\.ann$/m,
        );
        const again = await emocam(...args);
        assert.match(
          again.out,
          /1 could not be downloaded \(1 were gone before: --retry-gone asks again\)/,
        );

        const images = await findImages([out, join(out, "annotations_single.ann")]);
        assert.deepEqual(images.map(({ path, annotation }) => [path, annotation?.emotion]), [
          ["Run_1/x/a.jpg", "Joy"],
          ["Run_2/y/c.jpg", undefined],
        ]);
        assert.equal((await findImages([join(out, "manifest.csv")])).length, 2);
      }),
  );
});

Deno.test("a corpus of which nothing can be downloaded: status 1, and nothing to use", async () => {
  await withServer(
    () => new Response("no", { status: 404 }),
    ({ url }) =>
      withFolder(async (folder) => {
        const urls = join(folder, "urls.csv"), out = join(folder, "corpus");
        await Deno.writeTextFile(urls, `rel_path,idx_url,url\n/a.jpg,1,${url}/a\n`);
        const { status, out: text } = await emocam(
          ...["corpus", "fetch", "findingemo", "--urls", urls, "--out", out, "--pace", "0"],
        );
        assert.equal(status, 1);
        assert.match(text, /^0 of 1 images are in /m);
        assertExcludes(text, "use them");
      }),
  );
});

Deno.test("a list with path tricks, bad options and missing files are refused before anything is fetched", async () => {
  await withServer(() => new Response(PHOTO), ({ url, asked }) =>
    withFolder(async (folder) => {
      const bad = join(folder, "bad.csv"), good = join(folder, "good.csv");
      await Deno.writeTextFile(
        bad,
        `rel_path,idx_url,url\n/a.jpg,1,${url}/a\n/../escape.jpg,1,${url}/b\n`,
      );
      await Deno.writeTextFile(good, `rel_path,idx_url,url\n/a.jpg,1,${url}/a\n`);
      const out = join(folder, "corpus");
      const cases: [string[], RegExp][] = [
        [["--urls", bad, "--out", out], /bad\.csv, line 3: rel_path is .*it leads elsewhere/],
        [["--urls", join(folder, "none"), "--out", out], /Cannot read .*none/],
        [["--urls", good], /required option '--out <dir>'/],
        [["--urls", good, "--out", out, "--concurrency", "0"], /1 or more/],
        [["--urls", good, "--out", out, "--pace", "-1"], /give seconds/],
        [["--urls", good, "--out", out, "--annotations", good], /the column index.* is missing/],
      ];
      for (const [args, pattern] of cases) {
        const { status, err } = await emocam("corpus", "fetch", "findingemo", ...args);
        assert.equal(status, 2);
        assert.match(err, pattern);
      }
      assert.equal(asked.length, 0);
    }));
});

Deno.test("an interrupt ends it in order", async () => {
  const over = Promise.withResolvers<void>();
  await withServer(
    async (request) => {
      if (!request.url.endsWith("0")) await over.promise;
      return new Response(PHOTO);
    },
    ({ url, asked }) =>
      withFolder(async (folder) => {
        const urls = join(folder, "urls.csv"), out = join(folder, "corpus");
        await Deno.writeTextFile(
          urls,
          `rel_path,idx_url,url\na.jpg,1,${url}/0\nb.jpg,1,${url}/1\nc.jpg,1,${url}/2\n`,
        );
        const child = emocamProcess(
          ["corpus", "fetch", "findingemo", "--urls", urls, "--out", out, "--pace", "0"],
          {},
          ["--allow-net=127.0.0.1"],
        ).spawn();
        const output = child.output();
        const manifest = () => Deno.readTextFile(join(out, "manifest.csv")).catch(() => "");
        for (let i = 0; i < 500 && (asked.length < 3 || !/^a/m.test(await manifest())); i++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        child.kill("SIGINT");
        const { code, stderr } = await output;
        over.resolve();
        assert.equal(code, 130);
        assert.match(new TextDecoder().decode(stderr), /interrupted; give the same command again/);
        assert.match(
          await Deno.readTextFile(join(out, "manifest.csv")),
          /^a\.jpg,\d+,[0-9a-f]{64},/m,
        );
      }),
  );
});
