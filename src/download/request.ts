/**
 * One HTTP request with bounded redirects and a bound on silence.
 *
 * Proxies: `fetch` takes them from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";

/** How a request is made. */
export interface Route {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** A connection on which nothing comes for so many milliseconds is given up. Default: 60 s. */
  readonly silence?: number;
  /** Called before each request, redirects included, and awaited: to be polite to a host. */
  readonly before?: (url: URL) => Promise<void>;
}

/** What came. */
export interface Answer {
  readonly response: Response;
  /** After redirects. */
  readonly url: string;
  /** To be called when bytes arrive. */
  alive(): void;
  /** Says why the body ended early, if nothing had come for too long. */
  silent(): string | undefined;
  /** Ends the watch over the connection. */
  end(): void;
}

const MAX_REDIRECTS = 10;
const SILENCE = 60_000;

/**
 * Asks for an address and follows redirects, at most ten and never from https to http. Content is asked for unpacked, so that lengths and
 * ranges mean the file's own bytes.
 *
 * @returns the answer, or why there is none: `refused` for good, or `failed` this time.
 * @throws {UsageError} when the process may not use the network; the signal's reason when it is aborted.
 */
export async function ask(
  address: string,
  { headers, signal, silence = SILENCE, before }: Route,
  range: Readonly<Record<string, string>>,
): Promise<Answer | { refused: string } | { failed: string }> {
  const first = parsed(address);
  if (first === undefined) return { refused: "not an http or https address" };
  let url: URL = first;
  const watch = new Watch(silence);
  const combined = signal ? AbortSignal.any([signal, watch.signal]) : watch.signal;
  let kept = false;
  try {
    for (let redirects = 0;; redirects++) {
      await before?.(url);
      watch.alive();
      const response: Response = await fetch(url, {
        headers: { ...headers, ...range, "accept-encoding": "identity" },
        redirect: "manual",
        signal: combined,
      });
      if (![301, 302, 303, 307, 308].includes(response.status)) {
        kept = true;
        return {
          response,
          url: url.href,
          alive: () => watch.alive(),
          silent: () => watch.reason(),
          end: () => watch.end(),
        };
      }
      const location: string | null = response.headers.get("location");
      await closeBody(response);
      if (redirects >= MAX_REDIRECTS) {
        return { refused: `it redirects more than ${MAX_REDIRECTS} times` };
      }
      const next: URL | undefined = location === null ? undefined : parsed(location, url);
      if (next === undefined) {
        return { refused: `it redirects to ${JSON.stringify(location)}, which is not an address` };
      }
      if (url.protocol === "https:" && next.protocol === "http:") {
        return { refused: `it redirects from https to ${shown(next.href)}, which is not secured` };
      }
      url = next;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Deno.errors.NotCapable) {
      throw new UsageError(
        `Cannot reach ${url.host}: this process may not use the network; run it as deno task fetch …`,
      );
    }
    return { failed: watch.reason() ?? reasonOf(error, url) };
  } finally {
    if (!kept) watch.end();
  }
}

/** Aborts when nothing happens for too long. */
class Watch {
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  constructor(readonly milliseconds: number) {}
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.milliseconds);
  }
  end(): void {
    clearTimeout(this.#timer);
  }
  reason(): string | undefined {
    return this.#abort.signal.aborted
      ? `nothing came for ${Math.round(this.milliseconds / 100) / 10} s`
      : undefined;
  }
}

function parsed(address: string, base?: URL): URL | undefined {
  const url = URL.parse(address, base);
  return url && (url.protocol === "http:" || url.protocol === "https:") && url.host !== ""
    ? url
    : undefined;
}

/** What went wrong without an answer, without the address that is named anyway. */
function reasonOf(error: unknown, url: URL): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = messageOf(cause).replaceAll(/\s+/g, " ");
  const inner = /error sending request for url \([^)]*\):? ?(.*)$/.exec(text)?.[1] || text;
  return `${url.host} cannot be reached (${inner})`;
}

/** An address for messages: no credentials, no control characters, not endless. */
export function shown(address: string): string {
  const url = URL.parse(address);
  if (url) url.username = url.password = "";
  const text = url?.href ?? JSON.stringify(address);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Gives up the rest of an answer. */
export async function closeBody(response: Response): Promise<void> {
  if (response.body && !response.body.locked) await response.body.cancel().catch(() => {});
}
