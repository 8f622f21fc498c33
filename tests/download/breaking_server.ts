/** A web server that misbehaves as told. */

/** What a server was asked. */
export interface Asked {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly userAgent: string | null;
}

export interface TestServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly asked: Asked[];
}

/** Serves while `use` runs. */
export async function withServer(
  handler: (request: Request, count: number) => Response | Promise<Response>,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response(null) },
    (request) => {
      const { headers } = request;
      asked.push({
        path: decodeURIComponent(new URL(request.url).pathname),
        range: headers.get("range"),
        ifRange: headers.get("if-range"),
        userAgent: headers.get("user-agent"),
      });
      return handler(request, asked.length);
    },
  );
  try {
    await use({ url: `http://127.0.0.1:${server.addr.port}`, asked });
  } finally {
    await server.shutdown();
  }
}

/** Serves raw bytes to each connection, for answers that no HTTP library would write. */
export async function withRawServer(
  answer: (head: string, count: number) => Uint8Array | string,
  use: (server: TestServer) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: Asked[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(65536);
      const read = await connection.read(buffer) ?? 0;
      const head = new TextDecoder().decode(buffer.subarray(0, read));
      const header = (name: string) =>
        new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(head)?.[1] ?? null;
      asked.push({
        path: head.split(" ")[1] ?? "",
        range: header("range"),
        ifRange: header("if-range"),
        userAgent: header("user-agent"),
      });
      const text = answer(head, asked.length);
      const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      await connection.closeWrite();
      // The other end closes when it has read everything.
      while (await connection.read(buffer).catch(() => null) !== null);
      connection.close();
    }
  })();
  try {
    await use({ url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`, asked });
  } finally {
    listener.close();
    await serving.catch(() => {});
  }
}

/** Bytes that differ everywhere: `length` of them from a counter. */
export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 11 & 255);
}

/** An honest answer to a request, with ranges. */
export function serveBytes(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Response {
  const etag = headers.etag ?? '"one"';
  const match = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
  const same = [null, etag, headers["last-modified"]].includes(request.headers.get("if-range"));
  if (!match || !same) return new Response(bytes, { headers: { etag, ...headers } });
  const start = Number(match[1]);
  if (start >= bytes.length) {
    return new Response(null, {
      status: 416,
      headers: { "content-range": `bytes */${bytes.length}` },
    });
  }
  return new Response(bytes.slice(start), {
    status: 206,
    headers: {
      etag,
      "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      ...headers,
    },
  });
}
