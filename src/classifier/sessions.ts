/**
 * The sessions of one classifier, made when they are first needed.
 *
 * @module
 */

import type { Graph } from "../onnx/graph.ts";
import { writeModel } from "../onnx/model_file.ts";
import { openSession } from "../runtime/open.ts";
import type { Backend, Session } from "../runtime/session.ts";
import { openSteady } from "./batch_invariance.ts";
import { OnceByName } from "./once_by_name.ts";

/** Sessions by name, on one backend. */
export class Sessions {
  readonly #backend: Backend;
  readonly #sessions = new OnceByName<Session>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /**
   * The session of a graph whose rows do not depend on their place in the batch.
   *
   * @param make the graph; called once for each name, and again after a failure
   * @param onDevice outputs that stay on the GPU
   */
  steady(name: string, make: () => Graph, onDevice: readonly string[] = []): Promise<Session> {
    return this.#sessions.get(
      name,
      async () => await openSteady(make(), this.#backend, { onDevice }),
    );
  }

  /** The session of a graph as it is: one that is evaluated for one sample at a time, whose rows always lie in the same places. */
  asIs(name: string, make: () => Graph): Promise<Session> {
    return this.#sessions.get(
      name,
      async () => await openSession(writeModel(make()), this.#backend),
    );
  }

  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }
}
