/**
 * The table of options as a document.
 *
 * @module
 */

import { flag } from "../../base/flag.ts";
import { GROUPS, helpOf, type OptionRow, OPTIONS, type OptionTable } from "./mod.ts";

/** `docs/options.md`. */
export function optionsMarkdown(table: OptionTable = OPTIONS): string {
  const groups = GROUPS.flatMap((group) => {
    const rows = table.filter((row) => row.group === group);
    return rows.length === 0 ? [] : [[
      `## ${group}`,
      "",
      "| option | what it does | values | default | commands |",
      "|---|---|---|---|---|",
      ...rows.map((row) => `| ${cellsOf(row).map(escaped).join(" | ")} |`),
    ].join("\n")];
  });
  return `${[HEAD, ...groups].join("\n\n")}\n`;
}

const HEAD = `# Options

<!-- Made from src/run/options/ by deno task docs. Change it there. -->

The options of \`analyze\`, \`explain\`, \`check\`, \`detect\`, \`stats\`, \`report\` and \`reproduce\`; \`--help\` after a command lists its own. Options marked † decide
results: where they have an effect, they are the \`settings\` in \`run.json\`, and a run with other ones is another run. The others decide only which images
are taken, or how results are made and kept.`;

function cellsOf(row: OptionRow): string[] {
  const { name, value, decides, default: own, presets, env } = row;
  const placeholder = value.placeholder?.toUpperCase();
  const values = [
    ...own === undefined ? [] : [`\`${textOf(own)}\``],
    ...Object.entries(presets ?? {})
      .map(([preset, value]) => `\`${textOf(value)}\` with \`${flag("preset")} ${preset}\``),
  ];
  return [
    `\`${[flag(name), ...placeholder ? [placeholder] : []].join(" ")}\`${
      decides === "results" ? " †" : ""
    }`,
    `${helpOf(row)}${env ? `; or by the variable \`${env}\`` : ""}`,
    value.range ?? "",
    values.join("; "),
    row.commands.join(", "),
  ];
}

/** A value as it is given on the command line. */
export function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** Text that a cell of a table can hold. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
