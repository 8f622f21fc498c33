/**
 * FindingEmo's list of addresses, as the package findingemo-light has it: where each image was found.
 *
 * @module
 */

import { z } from "zod";
import { messageOf, UsageError } from "../../base/errors.ts";
import type { ImageAddresses } from "../../published/image_addresses.ts";
import { columnAt } from "../../base/csv_table.ts";
import { tableOf } from "../_text_table.ts";
import { corpusPath } from "./_rows.ts";

/**
 * Reads the dataset's list of addresses (`dataset_urls_exploded.json`, or a CSV table): rel_path, idx_url, url. Rows of one path are several
 * addresses of it, in the order of idx_url.
 *
 * Addresses are not checked here: the published list has empty and broken ones, which fail when their turn comes.
 *
 * @returns the images, in the list's order.
 * @throws {UsageError} naming the row whose path leads out of the corpus, or what else is wrong with the file.
 */
export function readUrlList(text: string, origin: string): ImageAddresses[] {
  const fail = (where: string | number | undefined, what: string): never => {
    const place = where === undefined
      ? ""
      : typeof where === "number"
      ? `, line ${where}`
      : `, ${where}`;
    throw new UsageError(`Cannot read the list of addresses ${origin}${place}: ${what}`);
  };
  const rows = /^\s*[[{]/.test(text) ? jsonRows(text, fail) : tableRows(text, fail);
  if (rows.length === 0) fail(undefined, "it is empty");
  const images = new Map<string, { order: number; url: string }[]>();
  for (const { where, rel_path, idx_url, url } of rows) {
    const path = corpusPath(rel_path);
    if ("wrong" in path) return fail(where, `rel_path ${path.wrong}`);
    const order = Number(idx_url || 1);
    if (!Number.isFinite(order)) fail(where, `idx_url is ${JSON.stringify(idx_url)}, not a number`);
    const list = images.get(path.path);
    if (list) list.push({ order, url: url.trim() });
    else images.set(path.path, [{ order, url: url.trim() }]);
  }
  return [...images].map(([path, list]) => ({
    path,
    urls: [...new Set(list.sort((a, b) => a.order - b.order).map(({ url }) => url))],
  }));
}

const urlSchema = z.array(z.object({
  rel_path: z.string(),
  idx_url: z.union([z.number(), z.string()]).optional(),
  url: z.string(),
}));

interface UrlRow {
  readonly where: string | number;
  readonly rel_path: string;
  readonly idx_url: string;
  readonly url: string;
}

type Fail = (where: string | number | undefined, what: string) => never;

function jsonRows(text: string, fail: Fail): UrlRow[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail(undefined, `it is not JSON (${messageOf(error)})`);
  }
  const result = urlSchema.safeParse(json);
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    return fail(path.length > 0 ? path.join(".") : undefined, message);
  }
  return result.data.map(({ idx_url, ...row }, i) => ({
    ...row,
    where: `entry ${i}`,
    idx_url: String(idx_url ?? ""),
  }));
}

function tableRows(text: string, fail: Fail): UrlRow[] {
  const { columns, rows } = tableOf(text, fail);
  const [path, idx, url] = ["rel_path", "idx_url", "url"].map((name) => columnAt(columns, name));
  if (path < 0 || url < 0) {
    fail(
      columns.length > 0 ? 1 : undefined,
      `its header is ${JSON.stringify(columns.join(","))}; expected rel_path,idx_url,url`,
    );
  }
  return rows.map(({ written, line }) => ({
    where: line,
    rel_path: written[path],
    idx_url: written[idx] ?? "",
    url: written[url],
  }));
}
