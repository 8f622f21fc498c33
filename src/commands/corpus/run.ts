/**
 * `corpus fetch findingemo`.
 *
 * @module
 */

import { basename, join } from "node:path";
import project from "../../../deno.json" with { type: "json" };
import { messageOf, UsageError } from "../../base/errors.ts";
import { type FetchCounts, fetchImages } from "../../published/corpus_images.ts";
import { type AnnotationRow, readFindingEmo } from "../../corpora/findingemo/annotations.ts";
import { readUrlList } from "../../corpora/findingemo/addresses.ts";
import type { FindingEmoOptions } from "./options.ts";
import { retryDelays } from "../options/fetch.ts";
import { INTERRUPTED } from "../exit_codes.ts";
import { createProgress, leftText } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { decodeText } from "../../base/text.ts";
import { isFile } from "../../base/files.ts";
import { OwnedFolder } from "../../base/owned_folder.ts";

const TERMS =
  `FindingEmo: annotations and list of addresses CC BY-NC-SA 4.0; the images belong to their owners
cite: Mertens, Yargholi, Op de Beeck, Van den Stock, Vennekens: FindingEmo: An Image Dataset for Emotion Recognition in the Wild. NeurIPS 2024 Datasets and Benchmarks, arXiv 2402.01355`;

/**
 * Fetches what is still available of FindingEmo's images.
 *
 * @returns the exit status: 0 when some images are there, 1 when none is, 130 after an interruption.
 * @throws {UsageError} when a file cannot be read, or there is no network.
 */
export async function fetchFindingEmo(options: FindingEmoOptions): Promise<number> {
  const { urls, out, annotations } = options;
  const list = readUrlList(await readText(urls), basename(urls)).slice(0, options.limit);
  const rows = annotations === undefined
    ? undefined
    : readFindingEmo(await readText(annotations), basename(annotations));
  console.log(TERMS);
  if (annotations !== undefined) await putBeside(annotations, out);
  const started = performance.now();
  const progress = createProgress();
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const counts = await fetchImages(list, {
      out,
      concurrency: options.concurrency,
      perHost: options.perHost,
      pace: options.pace * 1000,
      delays: retryDelays(options.retries),
      retry: options.retryGone ?? false,
      archive: options.archive ?? false,
      userAgent: options.userAgent ?? `${project.name}/${project.version} (research corpus)`,
      signal: abort.signal,
      onProgress: (counts) => progress.show(() => progressText(counts, started)),
    });
    progress.end();
    console.log(await summary(counts, out, rows));
    return counts.present + counts.fetched > 0 ? 0 : 1;
  } catch (error) {
    progress.end();
    if (!abort.signal.aborted) throw error;
    console.error("interrupted; give the same command again to continue");
    return INTERRUPTED;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

function progressText(counts: FetchCounts, started: number): string {
  const { total, present, fetched, failed, skipped } = counts;
  const done = present + fetched + failed + skipped;
  const asked = fetched + failed;
  const seconds = (performance.now() - started) / 1000;
  const left = asked > 0 ? leftText(seconds / asked * (total - done)) : "";
  return `${done}/${total} images, ${fetched} fetched, ${failed} failed${left}`;
}

async function summary(
  counts: FetchCounts,
  out: string,
  rows: readonly AnnotationRow[] | undefined,
): Promise<string> {
  const { total, present, fetched, failed, skipped } = counts;
  const there = present + fetched;
  const lines = [
    `${there} of ${total} images are in ${out} (${fetched} fetched now): ${
      join(out, "manifest.csv")
    }`,
  ];
  const gone = failed + skipped;
  if (gone > 0) {
    lines.push(
      `${gone} could not be downloaded${
        skipped > 0 ? ` (${skipped} were gone before: --retry-gone asks again)` : ""
      }: ${join(out, "failures.csv")}`,
    );
  }
  if (there === 0) return lines.join("\n");
  if (rows) {
    const images = [...new Set(rows.map(({ image }) => image))];
    let annotated = 0;
    for (const image of images) if (await isFile(join(out, image))) annotated++;
    lines.push(
      `${annotated} of ${images.length} annotated images are there; use them: emocam analyze ${out} ${
        join(out, ANNOTATIONS)
      }`,
    );
  } else lines.push(`use them: emocam analyze ${out}`);
  return lines.join("\n");
}

/** Name of the annotations beside the images. */
const ANNOTATIONS = "annotations_single.ann";

async function putBeside(annotations: string, out: string): Promise<void> {
  try {
    await Deno.mkdir(out, { recursive: true });
    const [from, to] = await Promise.all([
      Deno.realPath(annotations),
      Deno.realPath(join(out, ANNOTATIONS)).catch(() => undefined),
    ]);
    if (from !== to) {
      await new OwnedFolder(out).write(ANNOTATIONS, await Deno.readFile(annotations));
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `Cannot put the annotations into ${out}: ${
        messageOf(error)
      }; choose another folder with --out`,
    );
  }
}

async function readText(file: string): Promise<string> {
  try {
    const { text, notice } = decodeText(await Deno.readFile(file));
    if (notice !== undefined) console.error(`note: ${legible(file)}: ${legible(notice)}`);
    return text;
  } catch (error) {
    throw new UsageError(`Cannot read ${file}: ${messageOf(error)}`);
  }
}
