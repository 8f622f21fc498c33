import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { sha256 } from "../../src/base/json.ts";
import { download, DownloadError, type DownloadOptions } from "../../src/download/download.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { serveBytes, someBytes, withRawServer, withServer } from "./breaking_server.ts";
import { assertAtLeast, assertEvery, assertExcludes } from "../assert_that.ts";

const FAST: DownloadOptions = { delays: [1, 1, 1], silence: 5000 };
const DATA = someBytes(100_000);
const HASH = sha256(DATA);

/** Names in a folder. */
function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Refused in one line, with nothing under the final name. */
async function refused(
  folder: string,
  url: string,
  options: DownloadOptions,
  pattern: RegExp,
  kind: "permanent" | "transient" = "permanent",
): Promise<void> {
  await assert.rejects(
    download(url, join(folder, "file.bin"), { ...FAST, ...options }),
    (error: unknown) => {
      assert.ok(error instanceof DownloadError, String(error));
      assert.match(error.message, /^Cannot fetch http/);
      assert.match(error.message, pattern);
      assertExcludes(error.message, "\n");
      assert.equal(error.kind, kind);
      return true;
    },
  );
  assertExcludes(names(folder), "file.bin");
}

/** What an interrupted call leaves: the first bytes, and of what. */
async function leavePart(folder: string, url: string, bytes: Uint8Array, validator = '"one"') {
  await Deno.writeFile(join(folder, "file.bin.part"), bytes);
  await Deno.writeTextFile(join(folder, "file.bin.part.json"), JSON.stringify({ url, validator }));
}

Deno.test("a file is fetched with its length, hash and progress, and nothing else is left", async () => {
  await withServer(
    (request) => serveBytes(request, DATA),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        const seen: (number | undefined)[][] = [];
        const file = join(folder, "new", "file.bin");
        const result = await download(`${url}/file.bin`, file, {
          ...FAST,
          expectedBytes: DATA.length,
          sha256: HASH,
          headers: { "user-agent": "test" },
          onProgress: ({ received, total }) => seen.push([received, total]),
        });
        assert.deepEqual(result, { bytes: DATA.length, sha256: HASH, url: `${url}/file.bin` });
        assert.deepEqual(await Deno.readFile(file), DATA);
        assert.deepEqual(names(join(folder, "new")), ["file.bin"]);
        assert.deepEqual(seen.at(-1), [DATA.length, DATA.length]);
        assertEvery(seen, ([received], i) => i === 0 || received! >= seen[i - 1][0]!);
        assert.equal(asked[0].userAgent, "test");
      }),
  );
});

Deno.test("a connection that breaks off is continued where it broke", async () => {
  const answer = (start: number, end: number) => {
    const head = start === 0
      ? `HTTP/1.1 200 OK\r\nContent-Length: ${DATA.length}\r\n`
      : `HTTP/1.1 206 Partial Content\r\nContent-Length: ${DATA.length - start}\r\n` +
        `Content-Range: bytes ${start}-${DATA.length - 1}/${DATA.length}\r\n`;
    const bytes = new TextEncoder().encode(`${head}ETag: "one"\r\nConnection: close\r\n\r\n`);
    return new Uint8Array([...bytes, ...DATA.subarray(start, end)]);
  };
  await withRawServer((head, count) => {
    const start = Number(/range: bytes=(\d+)-/i.exec(head)?.[1] ?? 0);
    return answer(start, count < 3 ? start + 30_000 : DATA.length);
  }, ({ url, asked }) =>
    withFolder(async (folder) => {
      const file = join(folder, "file.bin");
      const result = await download(`${url}/file.bin`, file, FAST);
      assert.equal(result.sha256, HASH);
      assert.deepEqual(await Deno.readFile(file), DATA);
      assert.deepEqual(asked.map(({ range, ifRange }) => [range, ifRange]), [
        [null, null],
        ["bytes=30000-", '"one"'],
        ["bytes=60000-", '"one"'],
      ]);
      assert.deepEqual(names(folder), ["file.bin"]);
    }));
});

Deno.test("what one call leaves, a later one continues, and its hash is that of the whole file", async () => {
  await withServer(
    (request, count) =>
      count === 1
        ? new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(DATA.slice(0, 40_000));
              setTimeout(() => controller.error(new Error("gone")), 50);
            },
          }),
          { headers: { "last-modified": "Sat, 01 Sep 2018 00:00:00 GMT" } },
        )
        : serveBytes(request, DATA, { "last-modified": "Sat, 01 Sep 2018 00:00:00 GMT" }),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        await refused(
          folder,
          `${url}/f`,
          { delays: [] },
          /the connection broke after 40000/,
          "transient",
        );
        assert.deepEqual(names(folder), ["file.bin.part", "file.bin.part.json"]);
        const result = await download(`${url}/f`, join(folder, "file.bin"), FAST);
        assert.equal(result.sha256, HASH);
        assert.equal(asked[1].range, "bytes=40000-");
        assert.equal(asked[1].ifRange, "Sat, 01 Sep 2018 00:00:00 GMT");
        assert.deepEqual(names(folder), ["file.bin"]);
      }),
  );
});

Deno.test("a file that changed meanwhile is fetched anew", async () => {
  await withServer(
    (request) => serveBytes(request, DATA),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        await leavePart(folder, `${url}/f`, new Uint8Array(500), '"an older one"');
        const result = await download(`${url}/f`, join(folder, "file.bin"), FAST);
        assert.equal(result.sha256, HASH);
        assert.deepEqual(asked.map(({ range }) => range), ["bytes=500-"]);
      }),
  );
});

Deno.test("a part of another address, or without a note, is not continued", async () => {
  await withServer(
    (request) => serveBytes(request, DATA),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        await leavePart(folder, `${url}/other`, new Uint8Array(500));
        await download(`${url}/f`, join(folder, "file.bin"), { ...FAST, sha256: HASH });
        await Deno.writeFile(join(folder, "file.bin.part"), new Uint8Array(500));
        await download(`${url}/f`, join(folder, "file.bin"), { ...FAST, sha256: HASH });
        await Deno.writeTextFile(join(folder, "file.bin.part.json"), "not JSON");
        await download(`${url}/f`, join(folder, "file.bin"), { ...FAST, sha256: HASH });
        assert.deepEqual(asked.map(({ range }) => range), [null, null, null]);
      }),
  );
});

Deno.test("a server that ignores ranges, or answers with others, costs a fresh start, never a wrong file", async () => {
  const wrong: [string, (request: Request) => Response][] = [
    ["ignored", () => new Response(DATA, { headers: { etag: '"one"' } })],
    ...[
      "bytes 0-99999/100000",
      "bytes 400-99999/100000",
      "bytes 500-99/100000",
      "nonsense",
      "bytes 500-100000/100000",
    ]
      .map((
        range,
      ): [string, (request: Request) => Response] => [
        range,
        (request) =>
          request.headers.has("range")
            ? new Response(DATA.slice(0, 1000), {
              status: 206,
              headers: { etag: '"one"', "content-range": range },
            })
            : new Response(DATA),
      ]),
    [
      "multipart",
      (request) =>
        request.headers.has("range")
          ? new Response("--x\r\n", {
            status: 206,
            headers: { "content-type": "multipart/byteranges; boundary=x" },
          })
          : new Response(DATA),
    ],
    [
      "416",
      (request) =>
        request.headers.has("range") ? new Response(null, { status: 416 }) : new Response(DATA),
    ],
  ];
  for (const [what, handler] of wrong) {
    await withServer(handler, ({ url, asked }) =>
      withFolder(async (folder) => {
        await leavePart(folder, `${url}/f`, DATA.subarray(0, 500));
        const result = await download(`${url}/f`, join(folder, "file.bin"), FAST);
        assert.equal(result.sha256, HASH, what);
        assert.equal(asked[0].range, "bytes=500-");
        assert.deepEqual(names(folder), ["file.bin"], what);
      }));
  }
});

Deno.test("a range that was not asked for is refused", async () => {
  await withServer(
    () =>
      new Response(DATA.slice(10), {
        status: 206,
        headers: { "content-range": "bytes 10-99999/100000" },
      }),
    ({ url }) => withFolder((folder) => refused(folder, `${url}/f`, {}, /the server answers 206/)),
  );
});

Deno.test("a part that was whole already only gets its name", async () => {
  await withServer(
    (request) => serveBytes(request, DATA),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        await leavePart(folder, `${url}/f`, DATA);
        const result = await download(`${url}/f`, join(folder, "file.bin"), {
          ...FAST,
          sha256: HASH,
        });
        assert.equal(result.bytes, DATA.length);
        assert.equal(asked.length, 1);
        assert.deepEqual(names(folder), ["file.bin"]);
      }),
  );
});

Deno.test("a wrong length is refused before or after it came", async () => {
  const expectedBytes = DATA.length + 1;
  const stream = (length: number) =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(someBytes(length));
          controller.close();
        },
      }),
    );
  await withServer((request) => {
    const path = new URL(request.url).pathname;
    if (path === "/stated") return new Response(DATA);
    return stream(path === "/short" ? 99 : DATA.length + 50);
  }, ({ url }) =>
    withFolder(async (folder) => {
      await refused(
        folder,
        `${url}/stated`,
        { expectedBytes },
        /it is 100000 bytes long, not 100001/,
      );
      await refused(folder, `${url}/short`, { expectedBytes }, /it is 99 bytes long, not 100001/);
      await refused(folder, `${url}/long`, { expectedBytes }, /more than 100001 bytes came/);
      await refused(folder, `${url}/stated`, { maxBytes: 99_999 }, /over the limit of 99999/);
      await refused(folder, `${url}/long`, { maxBytes: 99_999 }, /more than 99999 bytes came/);
      assert.deepEqual(names(folder), []);
    }));
});

Deno.test("a server that closes early again and again is given up, and what came is kept", async () => {
  await withRawServer(
    () => `HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc`,
    ({ url, asked }) =>
      withFolder(async (folder) => {
        await refused(
          folder,
          `${url}/f`,
          {},
          /after 3 of 1000 bytes; try again later; what has arrived is kept/,
          "transient",
        );
        assert.equal(asked.length, 4);
        assert.deepEqual(names(folder), ["file.bin.part", "file.bin.part.json"]);
      }),
  );
});

Deno.test("an answer that is not HTTP is a transient failure", async () => {
  await withRawServer(
    () => "hello\r\n",
    ({ url }) =>
      withFolder((folder) => refused(folder, `${url}/f`, {}, /cannot be reached/, "transient")),
  );
});

Deno.test("redirects are followed ten times at most, and never from https to http", async () => {
  await withServer((request) => {
    const { pathname } = new URL(request.url);
    const hop = Number(pathname.slice(1));
    if (pathname === "/file") return serveBytes(request, DATA);
    if (pathname === "/none") return new Response(null, { status: 302 });
    if (pathname === "/ftp") {
      return new Response(null, { status: 302, headers: { location: "ftp://x/y" } });
    }
    if (pathname === "/loop") {
      return new Response(null, { status: 301, headers: { location: "/loop" } });
    }
    return new Response(null, {
      status: 307,
      headers: { location: hop > 1 ? `/${hop - 1}` : "file" },
    });
  }, ({ url, asked }) =>
    withFolder(async (folder) => {
      const result = await download(`${url}/10`, join(folder, "ten"), FAST);
      assert.deepEqual([result.sha256, result.url], [HASH, `${url}/file`]);
      await refused(folder, `${url}/11`, {}, /redirects more than 10 times/);
      const before = asked.length;
      await refused(folder, `${url}/loop`, {}, /redirects more than 10 times/);
      assert.equal(asked.length - before, 11);
      await refused(folder, `${url}/none`, {}, /redirects to null/);
      await refused(folder, `${url}/ftp`, {}, /redirects to "ftp:\/\/x\/y"/);
    }));
});

Deno.test("https does not become http on the way", async () => {
  const { fetch } = globalThis;
  globalThis.fetch = () =>
    Promise.resolve(
      new Response(null, { status: 301, headers: { location: "http://plain.invalid/f" } }),
    );
  try {
    await withFolder((folder) =>
      refused(
        folder,
        "https://secure.invalid/f",
        {},
        /redirects from https to http:\/\/plain\.invalid\/f/,
      )
    );
  } finally {
    globalThis.fetch = fetch;
  }
});

Deno.test("404 and 403 are final at once; 429 and 5xx are tried again", async () => {
  let failures = 0;
  await withServer((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/flaky") {
      failures++;
      if (failures < 3) return new Response("busy", { status: failures === 1 ? 429 : 503 });
      return new Response(DATA);
    }
    return new Response("no", { status: Number(pathname.slice(1)) });
  }, ({ url, asked }) =>
    withFolder(async (folder) => {
      for (const status of [404, 403, 410, 401]) {
        const before = asked.length;
        await refused(
          folder,
          `${url}/${status}`,
          {},
          new RegExp(`the server answers ${status}.*; check the address`),
        );
        assert.equal(asked.length - before, 1);
      }
      for (const status of [408, 425, 429, 500, 502, 503, 504]) {
        const before = asked.length;
        await refused(folder, `${url}/${status}`, {}, new RegExp(`answers ${status}`), "transient");
        assert.equal(asked.length - before, 4);
      }
      assert.equal((await download(`${url}/flaky`, join(folder, "flaky"), FAST)).sha256, HASH);
    }));
});

Deno.test("Retry-After is obeyed, as seconds or as a date, unless it asks too much", async () => {
  let asked = 0;
  const date = () => new Date(Date.now() + 2000).toUTCString();
  await withServer((request) => {
    asked++;
    const { pathname } = new URL(request.url);
    if (pathname === "/hour") {
      return new Response(null, { status: 429, headers: { "retry-after": "3600" } });
    }
    if (asked > 1) return new Response(DATA);
    return new Response(null, {
      status: 503,
      headers: { "retry-after": pathname === "/date" ? date() : "1" },
    });
  }, ({ url }) =>
    withFolder(async (folder) => {
      for (const [path, least] of [["/seconds", 990], ["/date", 900]] as const) {
        asked = 0;
        const start = performance.now();
        await download(url + path, join(folder, "ok.bin"), FAST);
        assertAtLeast(performance.now() - start, least, path);
      }
      asked = 0;
      await refused(folder, `${url}/hour`, {}, /answers 429.*it asks to wait 3600 s/, "transient");
      assert.equal(asked, 1);
    }));
});

Deno.test("a web page instead of the file is refused, by its type or by what it is", async () => {
  const page = "\n <!DOCTYPE html>\n<html><body>Please log in</body></html>";
  await withServer((request) => {
    const { pathname } = new URL(request.url);
    return new Response(page, {
      headers: {
        "content-type": pathname === "/typed"
          ? "text/html; charset=utf-8"
          : "application/octet-stream",
      },
    });
  }, ({ url }) =>
    withFolder(async (folder) => {
      await refused(folder, `${url}/typed`, {}, /a web page \(text\/html\) came/);
      await refused(folder, `${url}/untyped`, {}, /a web page came/);
      assert.deepEqual(names(folder), []);
    }));
});

Deno.test("another SHA-256, or a file that is not accepted, gets no name", async () => {
  await withServer(
    (request) => serveBytes(request, DATA),
    ({ url }) =>
      withFolder(async (folder) => {
        await refused(
          folder,
          `${url}/f`,
          { sha256: "0".repeat(64) },
          new RegExp(`its SHA-256 is ${HASH}, not 0{64}`),
        );
        await refused(folder, `${url}/f`, {
          verify: async (file) => {
            assert.equal((await Deno.stat(file)).size, DATA.length);
            throw new Error("it is not an image");
          },
        }, /it is not an image/);
        assert.deepEqual(names(folder), []);
      }),
  );
});

Deno.test("packed content is unpacked, and its packed length is not taken for the file's", async () => {
  await withServer(
    () => new Response(new Uint8Array(gzipSync(DATA)), { headers: { "content-encoding": "gzip" } }),
    ({ url }) =>
      withFolder(async (folder) => {
        const options = { ...FAST, expectedBytes: DATA.length };
        assert.equal((await download(`${url}/f`, join(folder, "file.bin"), options)).sha256, HASH);
      }),
  );
});

Deno.test("silence ends an attempt", async () => {
  const timers: ReturnType<typeof setTimeout>[] = [];
  await withServer(
    () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(DATA.slice(0, 10));
            timers.push(setTimeout(() => controller.close(), 3000));
          },
        }),
        { headers: { etag: '"one"' } },
      ),
    ({ url }) =>
      withFolder(async (folder) => {
        await refused(
          folder,
          `${url}/f`,
          { silence: 200, delays: [] },
          /nothing came for 0\.2 s after 10 bytes/,
          "transient",
        );
        timers.forEach((timer) => clearTimeout(timer));
      }),
  );
});

Deno.test("an aborted download ends with the signal's reason and keeps what came", async () => {
  await withServer(
    () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(DATA.slice(0, 10)),
        }),
        { headers: { etag: '"one"' } },
      ),
    ({ url }) =>
      withFolder(async (folder) => {
        const abort = new AbortController();
        await assert.rejects(
          download(`${url}/f`, join(folder, "file.bin"), {
            ...FAST,
            signal: abort.signal,
            onProgress: ({ received }) => received === 10 && abort.abort(new Error("enough")),
          }),
          /enough/,
        );
        assert.deepEqual(names(folder), ["file.bin.part", "file.bin.part.json"]);
      }),
  );
});

Deno.test("a host that does not listen is a transient failure that was not reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await withFolder(async (folder) => {
    await refused(
      folder,
      `http://127.0.0.1:${port}/f`,
      {},
      /127\.0\.0\.1:\d+ cannot be reached/,
      "transient",
    );
    assert.deepEqual(names(folder), []);
  });
});

Deno.test("addresses of other kinds are refused, and credentials are not shown", async () => {
  await withFolder(async (folder) => {
    for (const url of ["file:///etc/passwd", "data:text/plain,x", "no address", "http://"]) {
      await assert.rejects(
        download(url, join(folder, "file.bin"), FAST),
        /^DownloadError: Cannot fetch .*not an http or https address/,
      );
    }
    assert.deepEqual(names(folder), []);
  });
  await withServer(
    () => new Response(null, { status: 404 }),
    ({ url }) =>
      withFolder(async (folder) => {
        await assert.rejects(
          download(url.replace("//", "//me:secret@"), join(folder, "file.bin"), FAST),
          (error: Error) => !error.message.includes("secret"),
        );
      }),
  );
});

Deno.test("two at once do not write into one part", async () => {
  const release = Promise.withResolvers<void>();
  await withServer(async () => {
    await release.promise;
    return new Response(DATA);
  }, ({ url }) =>
    withFolder(async (folder) => {
      const file = join(folder, "file.bin");
      const first = download(`${url}/f`, file, FAST);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await assert.rejects(
        download(`${url}/f`, file, FAST),
        /another process is fetching this file/,
      );
      release.resolve();
      assert.equal((await first).sha256, HASH);
    }));
});
