/**
 * Options of what is written, where it is kept and how it is computed.
 *
 * @module
 */

import { flag } from "../../base/flag.ts";
import { BACKENDS } from "../../runtime/backend_names.ts";
import { number, oneOf, text, toggle } from "./kinds.ts";
import { type OptionRow, rows } from "./row.ts";

/** What all options of results share. */
const KEPT = {
  group: "Results and where they are kept",
  decides: "how",
} as const satisfies Partial<OptionRow>;

/** Options of what is written, where it is kept and how it is computed. */
export const RESULT_OPTIONS = rows(
  {
    ...KEPT,
    name: "out",
    commands: ["analyze"],
    value: text("folder"),
    default: "runs/analysis",
    help: "folder of the results; the same command continues there",
    noun: "folder of the results",
  },
  {
    ...KEPT,
    name: "out",
    commands: ["explain"],
    value: text("folder"),
    default: "runs/explain",
    help: "where the overlays go",
    noun: "folder of the overlays",
  },
  {
    ...KEPT,
    name: "out",
    commands: ["check"],
    value: text("folder"),
    help: "store the verdicts in this run; the next analyze marks failing methods in its report",
    noun: "folder of the verdicts",
  },
  {
    ...KEPT,
    name: "out",
    commands: ["detect"],
    value: text("file"),
    help: "write the boxes to a file instead: CSV if its name ends in .csv, otherwise JSON",
    noun: "file of the boxes",
  },
  {
    ...KEPT,
    name: "out",
    commands: ["report"],
    value: text("folder"),
    help: "write them here instead of into the run's own folder",
    noun: "folder of the report",
  },
  {
    ...KEPT,
    name: "fresh",
    commands: ["analyze"],
    value: toggle(),
    help: `start again instead of continuing with what ${flag("out")} holds`,
    noun: "fresh start",
    onlyOnce: true,
    repeated: true,
  },
  {
    ...KEPT,
    name: "maps",
    commands: ["analyze"],
    value: toggle(),
    help: "also write the raw maps as .npy",
    noun: "raw maps",
    repeated: false,
  },
  {
    ...KEPT,
    name: "maps",
    commands: ["explain"],
    value: text("folder"),
    help: "write METHOD.npy (raw maps) and METHOD.final.npy (as scored, at input size)",
    noun: "folder of the maps",
  },
  {
    ...KEPT,
    name: "json",
    commands: ["explain", "check", "detect"],
    value: toggle(),
    help: "print JSON",
    noun: "form of what is printed",
  },
  {
    ...KEPT,
    name: "strict",
    commands: ["analyze"],
    value: toggle(),
    help: "exit with 1 if any image failed",
    noun: "exit status",
    repeated: false,
  },
  {
    ...KEPT,
    name: "activationCache",
    commands: ["analyze"],
    value: number("MiB", { min: 0 }),
    default: 1024,
    help: "activations kept for methods added later",
    noun: "space for activations",
    repeated: 0,
  },
  {
    ...KEPT,
    name: "cache",
    commands: ["analyze"],
    value: text("folder"),
    help: "keep and find results in a ledger that runs share",
    noun: "shared ledger",
    onlyOnce: true,
    env: "EMOCAM_CACHE",
  },
  {
    ...KEPT,
    name: "cacheLimit",
    commands: ["analyze"],
    value: number("MiB", { min: 0 }),
    default: 4096,
    help: "largest size of the cache; the oldest results are dropped first",
    noun: "largest size of the shared ledger",
    onlyOnce: true,
  },
  {
    name: "backend",
    commands: ["analyze", "explain", "check", "detect"],
    group: "How it is computed",
    value: oneOf("name", ["auto", ...BACKENDS]),
    default: "auto",
    help: "auto, webgpu, native or wasm",
    noun: "backend",
    decides: "how",
  },
  {
    name: "batch",
    commands: ["analyze", "explain", "check"],
    group: "How it is computed",
    value: number("n", { min: 1, max: 4096, integer: true }),
    default: 8,
    help: "samples in a batch",
    noun: "batch size",
    // Sums of another length round otherwise.
    decides: "results",
  },
);
