/**
 * What is printed while an analysis runs.
 *
 * @module
 */

import { legible } from "../../base/legible.ts";
import { plural } from "../../base/number_text.ts";
import type { AnalyzeEvents, Interruption } from "../../run/analyze.ts";
import { layersText, type Setup } from "../../run/open.ts";
import { createProgress, printFailure, printVerdict, progressText } from "../terminal.ts";

/** Changed images that are named; the others are counted. */
const CHANGED = 5;

/** Prints what happens during an analysis on standard error; Ctrl-C ends its work on images after the current batch. */
export function printAnalysis(): AnalyzeEvents {
  const progress = createProgress();
  let started = performance.now();
  let changed: [path: string, from: string, to: string][] = [];
  return {
    onRemark: (line) => console.error(line),
    onStart: announce,
    onFailure: printFailure,
    onVerdict: printVerdict,
    onChange: (...change) => changed.push(change),
    onProgress: (at) =>
      progress.show(
        () => progressText(at, (performance.now() - started) / 1000),
        at.done === at.total,
      ),
    interruption(): Interruption {
      started = performance.now();
      changed = [];
      const stop = new AbortController();
      const interrupt = () => stop.abort();
      Deno.addSignalListener("SIGINT", interrupt);
      return {
        signal: stop.signal,
        [Symbol.dispose]() {
          Deno.removeSignalListener("SIGINT", interrupt);
          progress.end();
          printChanged(changed);
        },
      };
    },
  };
}

function printChanged(changed: readonly [path: string, from: string, to: string][]): void {
  for (const [path, from, to] of changed.slice(0, CHANGED)) {
    const hash = (text: string) => `${text.slice(0, 7)}…`;
    console.error(
      `${legible(path)} was computed again: sha256 changed from ${hash(from)} to ${hash(to)}`,
    );
  }
  if (changed.length > CHANGED) console.error(`… and ${changed.length - CHANGED} more`);
}

/** Says what is about to happen, on standard error. */
function announce(setup: Setup, images: number, reasons: readonly string[]): void {
  const { backend, classifier, detector, layers, methods } = setup;
  const cut = layers.map(({ name, channels, height, width }) => ({
    name: `${name} (${channels}×${height}×${width})`,
  }));
  console.error(
    `${plural(images, "image")}; classifier ${classifier.card.name} cut at ` +
      `${layersText({ layers: cut })}, detector ${detector.name}, ` +
      `${
        methods.map(({ name }) => name).join(", ")
      }; backend ${backend.backend} (${backend.reason})`,
  );
  for (const notice of setup.notices) console.error(`note: ${legible(notice)}`);
  for (const reason of reasons) console.error(reason);
}
