/**
 * Options of `reproduce` alone.
 *
 * @module
 */

import { number, text } from "./kinds.ts";
import { rows } from "./row.ts";

/** Differences up to this count as the same where nothing else is said. */
export const DEFAULT_TOLERANCE = 1e-5;

/** Options of `reproduce` alone. */
export const REPRODUCE_OPTIONS = rows(
  {
    name: "images",
    commands: ["reproduce"],
    group: "Images and models",
    value: text("folder"),
    help: "folder of the run's images, if they have moved",
    noun: "folder of the images",
    decides: "images",
  },
  {
    name: "set",
    commands: ["reproduce"],
    group: "Images and models",
    value: text("option=value"),
    help: "another value for an option of analyze: backend=wasm …",
    noun: "changed options",
    decides: "results",
    several: ["reproduce"],
  },
  {
    name: "tolerance",
    commands: ["reproduce"],
    group: "Results and where they are kept",
    value: number("f", { min: 0 }),
    help:
      `differences up to this count as the same; by default ${DEFAULT_TOLERANCE}, or as the list says`,
    noun: "tolerance",
    decides: "results",
  },
  {
    name: "out",
    commands: ["reproduce"],
    group: "Results and where they are kept",
    decides: "how",
    value: text("folder"),
    help: "where the reports go; if given, the repeated run is kept there as well",
    noun: "folder of the reports",
  },
  {
    name: "list",
    commands: ["reproduce"],
    group: "Results and where they are kept",
    decides: "how",
    value: text("file"),
    help: "check all runs of a list (reproduce.json) and keep a history",
    noun: "list of runs",
  },
);
