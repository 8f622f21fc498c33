/**
 * Presets: option values that belong together. What is given on the command line goes before them.
 *
 * @module
 */

import type { Command } from "commander";

/** Names of presets. */
export const PRESETS = ["paper"] as const;
export type Preset = typeof PRESETS[number];

/** The procedure of EmoCAM (arXiv 2407.14314) as its published code has it, by option. */
const VALUES: Readonly<Record<Preset, Readonly<Record<string, unknown>>>> = {
  paper: {
    classifier: ["emonet"],
    detector: ["yolov3-openimages"],
    samples: "image",
    // The five of the paper's comparison of methods.
    methods: ["grad-cam", "ablation-cam", "lime-cam", "lrp-cam", "lift-cam"],
    target: "published",
    class: "predicted",
    placement: "half-pixel",
    boxMean: "paper",
    orientation: "stored",
    threshold: 0.3,
  },
};

/**
 * Fills in the values of `--preset` for the options that were not given.
 *
 * @param options as parsed; changed in place
 */
export function applyPreset(command: Command, options: Record<string, unknown>): void {
  const preset = options.preset as Preset | undefined;
  if (preset === undefined) return;
  for (const [name, value] of Object.entries(VALUES[preset])) {
    const source = command.getOptionValueSource(name);
    if (source === undefined || source === "default") options[name] = value;
  }
}
