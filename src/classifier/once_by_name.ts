/**
 * Things that are opened once for each name, and disposed of together.
 *
 * @module
 */

/** What has to be given back. */
interface Disposable {
  dispose(): Promise<void>;
}

/** Opens things when they are first asked for. */
export class OnceByName<T extends Disposable> {
  readonly #opening = new Map<string, Promise<T>>();

  /** The thing of this name. One that failed to open is forgotten, so that the next attempt is a new one. */
  get(name: string, open: () => Promise<T>): Promise<T> {
    const known = this.#opening.get(name);
    if (known) return known;
    const opening = open();
    this.#opening.set(name, opening);
    opening.catch(() => this.#opening.delete(name));
    return opening;
  }

  /** Disposes of the thing of this name, if there is one. */
  async drop(name: string): Promise<void> {
    const opening = this.#opening.get(name);
    this.#opening.delete(name);
    await opening?.then((open) => open.dispose(), () => {});
  }

  async dispose(): Promise<void> {
    for (const opening of this.#opening.values()) {
      await opening.then((open) => open.dispose(), () => {});
    }
  }
}
