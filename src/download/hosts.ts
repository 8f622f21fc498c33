/**
 * Being polite to many hosts at once.
 *
 * @module
 */

interface Host {
  /** Requests in progress. */
  active: number;
  /** When the next request may begin, on the clock of `performance.now()`. */
  next: number;
  readonly waiting: (() => void)[];
}

/** At most so many requests at a time to each host, and so much time between the beginnings of two. */
export class Hosts {
  readonly #hosts = new Map<string, Host>();

  /**
   * @param atATime requests to one host, at least 1.
   * @param delay milliseconds between the beginnings of two requests to one host.
   */
  constructor(readonly atATime: number, readonly delay: number) {}

  #host(name: string): Host {
    let host = this.#hosts.get(name);
    if (!host) this.#hosts.set(name, host = { active: 0, next: 0, waiting: [] });
    return host;
  }

  /** Runs when it is this host's turn. */
  async visit<T>(name: string, work: () => Promise<T>): Promise<T> {
    const host = this.#host(name);
    if (host.active >= this.atATime) {
      await new Promise<void>((resolve) => host.waiting.push(resolve));
    } else host.active++;
    try {
      return await work();
    } finally {
      const next = host.waiting.shift();
      // The place is handed on, so that no other request slips in between.
      if (next) next();
      else host.active--;
    }
  }

  /** Waits until the host may be asked again. */
  async pace(name: string): Promise<void> {
    const host = this.#host(name);
    const now = performance.now();
    const start = Math.max(now, host.next);
    host.next = start + this.delay;
    if (start > now) await new Promise((resolve) => setTimeout(resolve, start - now));
  }
}
