/**
 * From option values to an analysis that is ready to run: models loaded, everything checked before any work.
 *
 * @module
 */

import { UsageError } from "../base/errors.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { openClassifier } from "../classifier/open.ts";
import { findClassifier } from "../classifier/source.ts";
import type { CorpusImage } from "../image/image_file.ts";
import type { BoxMean, ClassChoice } from "../attribution/request.ts";
import type { Crop, SampleKind } from "../attribution/samples.ts";
import { type Detector, detectorOptions, findDetector } from "../detectors/mod.ts";
import type { Compute } from "../gpu/compute.ts";
import { createCompute } from "../gpu/create_compute.ts";
import { libvipsBuild } from "../image/libvips.ts";
import {
  augSmooth,
  byComposites,
  type ChosenMethod,
  type CompositeName,
  eigenSmooth,
  findMethods,
  fusedLayers,
  type Method,
  modified,
  type Modifier,
  withPublishedTarget,
} from "../methods/mod.ts";
import type { Target } from "../classifier/target.ts";
import { type BackendChoice, chooseBackend } from "../runtime/open.ts";
import type { ExplainOptions } from "./options/mod.ts";
import { flag } from "../base/flag.ts";
import type { Orientation } from "../image/image.ts";

/** The detector that finds faces and their parts, with the nets that ship. */
export const FACE_PARTS = "face-parts";

/** What `openSetup` makes: an analysis without its images and ledger settings. */
export interface Setup {
  readonly backend: BackendChoice;
  readonly classifier: Classifier;
  /** The target layers, first the classifier's own; maps of several are fused. */
  readonly layers: readonly Classifier["layer"][];
  readonly detector: Detector;
  readonly faceFinder?: Detector;
  readonly crop?: Crop;
  readonly samples: SampleKind;
  readonly methods: readonly Method[];
  readonly target: Target;
  readonly classes: ClassChoice;
  readonly boxMean: BoxMean;
  readonly orientation: Orientation;
  readonly compute: Compute;
  /** Remarks that a user should see once. */
  readonly notices: readonly string[];
  dispose(): Promise<void>;
}

/** What models are opened with beside options. */
export interface OpenInput {
  /** [C, H, W] of ready inputs, if there are any. */
  readonly inputShape?: readonly number[] | undefined;
  /** The folder from which relative paths of models start, instead of the working directory. */
  readonly base?: string | undefined;
  /** All images of the corpus, where only a part of them is run. */
  readonly corpus?: readonly CorpusImage[] | undefined;
  /** What is to be said of how the images were found: the first of the notices. */
  readonly found?: readonly string[];
}

/**
 * Loads and checks everything that a run needs, so that a bad model, option or box file stops it before any work.
 *
 * @param images of the run, to match a file of boxes with
 * @throws {UsageError} and {@linkcode ModelError} saying what cannot be used and what to do.
 */
export async function openSetup(
  options: ExplainOptions,
  images: readonly CorpusImage[],
  { inputShape, base, corpus, found = [] }: OpenInput = {},
): Promise<Setup> {
  const chosen = withComposites(findMethods(options.methods), options.composite);
  const backend = await chooseBackend(options.backend);
  const source = await findClassifier(options.classifier, inputShape, base);
  const [layer, ...further] = options.layer ?? [];
  const classifier = await openClassifier(source, {
    backend: backend.backend,
    batch: options.batch,
    layer,
    placement: options.placement,
  });
  const others: Classifier[] = [];
  for (const name of further) others.push(await classifier.cutAt(name));
  const modifiers = [
    ...options.eigenSmooth ? [eigenSmooth] : [],
    ...others.length > 0 ? [fusedLayers(others)] : [],
    ...options.augSmooth ? [augSmooth] : [],
  ];
  const classes = chooseClass(options.class, classifier.classes);
  const samples = options.samples ?? (classifier.card.crop ? "faces" : "image");
  if (options.boxMean === "paper" && samples === "faces") {
    throw new UsageError(
      `Cannot use ${flag("boxMean")} paper with face crops: it is defined on whole images; give ${
        flag("samples")
      } image`,
    );
  }
  const crop = classifier.card.crop ?? { around: "landmarks" as const, scale: 1.2 };
  const notices = [...found, ...classifier.notices, ...await pictureNotices()];
  const published = options.target === "published";
  const target = published ? "probability" : options.target;
  const wanted = published
    ? chosen.map((choice) => ({ ...choice, method: withPublishedTarget(choice.method) }))
    : chosen;
  if (published) notices.push(...publishedNotes(wanted));
  const methods = usableMethods(wanted, modifiers, classifier, target, notices);
  const { detector, notices: remarks } = await findDetector(options.detector, images, {
    backend: backend.backend,
    options: detectorOptions({ ...options }),
    preset: options.preset,
    orientation: options.orientation,
    base,
    matching: { corpus, keepOutside: options.boxMean === "paper" },
  });
  notices.push(...remarks);
  const faceFinder = samples !== "faces"
    ? undefined
    : detector.name === FACE_PARTS
    ? detector
    : (await findDetector(FACE_PARTS, images, { backend: backend.backend })).detector;
  const compute = await createCompute(backend.backend === "webgpu" ? "gpu" : "cpu");
  return {
    backend,
    classifier,
    layers: [classifier, ...others].map(({ layer }) => layer),
    detector,
    ...(faceFinder ? { faceFinder, crop } : {}),
    samples,
    methods,
    target,
    classes,
    boxMean: options.boxMean,
    orientation: options.orientation,
    compute,
    notices,
    async dispose() {
      await classifier.dispose();
      await detector.dispose();
      if (faceFinder && faceFinder !== detector) await faceFinder.dispose();
    },
  };
}

/** LRP-CAM by each of the composites that were asked for. @throws {UsageError} when there is nothing that they would change. */
function withComposites(
  chosen: readonly ChosenMethod[],
  composites: readonly CompositeName[] | undefined,
): readonly ChosenMethod[] {
  if (composites === undefined) return chosen;
  const made = chosen.flatMap(({ method, named }) =>
    byComposites(method, composites).map((method) => ({ method, named }))
  );
  if (made.some(({ method }) => method.settings?.composite !== undefined)) return made;
  throw new UsageError(
    `Cannot use ${flag("composite")} ${
      composites.join(",")
    }: lrp-cam is not among the methods; add it to ${flag("methods")}`,
  );
}

/** What is to be said of the published code's maps of these methods, each once. */
function publishedNotes(chosen: readonly ChosenMethod[]): string[] {
  return [...new Set(chosen.flatMap(({ method: { published } }) => published?.note ?? []))];
}

/** What to say of the library that reads pictures. */
export async function pictureNotices(): Promise<string[]> {
  const { kind, version } = await libvipsBuild();
  return kind === "native" ? [] : [
    `pictures are read by libvips ${version} as WebAssembly, since its native library may not be loaded (--allow-ffi) or is not ` +
    "there: the same decoders, but slower",
  ];
}

/**
 * The methods that this classifier can be explained by. One asked for by name must be possible; one of a group is left out
 * with a remark.
 *
 * @throws {UsageError} when a named method, or all of them, cannot be used.
 */
function usableMethods(
  chosen: readonly ChosenMethod[],
  modifiers: readonly Modifier[],
  classifier: Classifier,
  target: Target,
  notices: string[],
): Method[] {
  // Methods that are left out, by the reason.
  const leftOut = new Map<string, string[]>();
  // Whether a reason says what to do.
  let advised = false;
  const methods = chosen.flatMap(({ method, named }) => {
    const changed = modified(method, modifiers);
    const refused = "reason" in changed
      ? changed
      : changed.method.unsupported(classifier, changed.method.target ?? target);
    if (refused === undefined && "method" in changed) return [changed.method];
    const { reason, advice } = refused!;
    if (named) {
      const of = "modifier" in changed ? `no ${changed.modifier} of ${method.name}: ` : "";
      throw new UsageError(
        `Cannot use method ${method.name} with model ${classifier.card.name}: ${of}${reason}; ${
          advice ?? `leave it out of ${flag("methods")}`
        }`,
      );
    }
    const shared = ("modifier" in changed ? `no ${changed.modifier}: ` : "") +
      [reason, ...advice === undefined ? [] : [advice]].join("; ");
    advised ||= advice !== undefined;
    leftOut.set(shared, [...leftOut.get(shared) ?? [], method.name]);
    return [];
  });
  const remarks = [...leftOut].map(([reason, names]) =>
    `${names.join(", ")} ${names.length === 1 ? "is" : "are"} left out: ${reason}`
  );
  if (methods.length === 0) {
    const advice = advised ? [] : [`choose other ${flag("methods")}`];
    throw new UsageError(
      `Cannot explain model ${classifier.card.name}: ${[...remarks, ...advice].join("; ")}`,
    );
  }
  notices.push(...remarks);
  return methods;
}

/** The target layers in words. */
export function layersText(
  { layers }: { readonly layers: readonly { readonly name: string }[] },
): string {
  const names = layers.map(({ name }) => name).join(" + ");
  return layers.length > 1 ? `${names} fused` : names;
}

/** The class that is explained, in words. */
export function classText({ classes, classifier }: Pick<Setup, "classes" | "classifier">): string {
  return typeof classes === "number" ? classifier.classes[classes] : classes;
}

/**
 * The class that is explained: `predicted`, `all`, a class's name, or its index.
 *
 * @throws {UsageError} when the classifier has no such class.
 */
export function chooseClass(text: string, classes: readonly string[]): ClassChoice {
  if (text === "predicted" || text === "all") return text;
  const named = classes.indexOf(text);
  if (named >= 0) return named;
  const index = /^\d+$/.test(text) ? Number(text) : -1;
  if (index >= 0 && index < classes.length) return index;
  const known = classes.length > 30 ? `0 … ${classes.length - 1}` : classes.join(", ");
  throw new UsageError(
    `Cannot explain class ${JSON.stringify(text)}: give predicted, all, or one of ${known}`,
  );
}
