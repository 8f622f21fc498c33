/**
 * Options that decide the maps, and what becomes of them in boxes.
 *
 * @module
 */

import { BOX_MEANS } from "../../attribution/request.ts";
import { TARGET_CHOICES } from "../../classifier/target.ts";
import { type CompositeName, COMPOSITES } from "../../rules/lrp/composites.ts";
import { list, number, oneOf, someOf, text, toggle } from "./kinds.ts";
import { type CommandName, rows } from "./row.ts";

const EXPLAINING = ["analyze", "explain", "check"] as const satisfies readonly CommandName[];
const SCORING = ["analyze", "explain"] as const satisfies readonly CommandName[];

/** Options that decide the maps, and what becomes of them in boxes. */
export const MAP_OPTIONS = rows(
  {
    name: "methods",
    commands: EXPLAINING,
    group: "Maps",
    value: list("names"),
    default: ["grad-cam"],
    help: "CAM methods by name or group (gradient, perturbation …), separated by commas, or all",
    noun: "methods",
    decides: "results",
    // The five of the paper's comparison of methods.
    presets: { paper: ["grad-cam", "ablation-cam", "lime-cam", "lrp-cam", "lift-cam"] },
  },
  {
    name: "target",
    commands: EXPLAINING,
    group: "Maps",
    value: oneOf("score", TARGET_CHOICES),
    default: "logit",
    help:
      "the score that is explained: logit, probability, margin, or published (the paper's mixture)",
    noun: "target score",
    decides: "results",
    presets: { paper: "published" },
  },
  {
    name: "class",
    commands: SCORING,
    group: "Maps",
    value: text("which"),
    default: "predicted",
    help: "class that is explained: predicted, all, or its name or index",
    noun: "explained class",
    decides: "results",
    presets: { paper: "predicted" },
  },
  {
    name: "class",
    commands: ["check"],
    group: "Maps",
    value: text("which"),
    default: "predicted",
    help: "class that is explained: predicted, or for all samples its name or index",
    noun: "explained class",
    decides: "results",
  },
  {
    name: "composite",
    commands: EXPLAINING,
    group: "Maps",
    value: someOf("names", Object.keys(COMPOSITES) as CompositeName[]),
    help: "rules of lrp-cam by layer; several, separated by commas, are one method each",
    noun: "rules of lrp-cam",
    decides: "results",
    when: { says: "with lrp-cam among the methods" },
  },
  {
    name: "augSmooth",
    commands: EXPLAINING,
    group: "Maps",
    value: toggle(),
    help: "mean over mirrored and scaled inputs (six times the work)",
    noun: "mean over changed inputs",
    decides: "results",
  },
  {
    name: "eigenSmooth",
    commands: EXPLAINING,
    group: "Maps",
    value: toggle(),
    help: "first principal component of the weighted channels, not their sum",
    noun: "first principal component of the channels",
    decides: "results",
  },
  {
    name: "placement",
    commands: EXPLAINING,
    group: "Maps",
    value: oneOf("rule", ["receptive-field", "half-pixel"]),
    help:
      "where the cells of a map lie: receptive-field, or half-pixel as in other tools; by default as the card says",
    noun: "placement of maps",
    decides: "results",
    presets: { paper: "half-pixel" },
  },
  {
    name: "seed",
    commands: EXPLAINING,
    group: "Maps",
    value: number("n", { min: 0, max: 2 ** 32 - 1, integer: true }),
    default: 0,
    help: "seed of everything random",
    noun: "seed",
    decides: "results",
    when: {
      says: "with methods that draw random numbers, and in checks of axioms",
      holds: ({ random }) => random,
    },
  },
  {
    name: "cascade",
    commands: ["check"],
    group: "Maps",
    value: toggle(),
    help: "also re-draw the model's parameters layer by layer, and show how the maps change",
    noun: "parameters re-drawn layer by layer",
    decides: "results",
  },
  {
    name: "check",
    commands: ["analyze"],
    group: "Maps",
    value: toggle(),
    help: "check the methods' axioms on this classifier first, and flag what fails",
    noun: "check of the axioms",
    decides: "how",
    repeated: false,
  },
  {
    name: "boxMean",
    commands: SCORING,
    group: "Boxes",
    value: oneOf("rule", BOX_MEANS),
    default: "exact",
    help: "mean of the map in a box: exact integral, whole pixels, or as in the paper's code",
    noun: "mean in a box",
    decides: "results",
    presets: { paper: "paper" },
  },
  {
    name: "threshold",
    commands: SCORING,
    group: "Boxes",
    value: number("t", { min: 0, max: 1 }),
    default: 0.3,
    help: "a box is salient when its importance is over this",
    noun: "salience threshold",
    decides: "results",
    presets: { paper: 0.3 },
  },
);
