/** Writes batches into the ledger named on the command line until it is killed, saying each batch's number once it is committed. */

import { Ledger } from "../../src/ledger/ledger.ts";
import { pathOf, writeBatch } from "./ledger_fixture.ts";

const ledger = Ledger.open(Deno.args[0]);
const run = ledger.runs().at(-1)?.id ?? ledger.startRun({ purpose: "to be killed" });
let batch = 0;
while (ledger.imageByPath(pathOf(batch, 0))) batch++;
batch = Math.max(0, batch - 1); // the last one again: writing twice must change nothing
const text = new TextEncoder();
for (;; batch++) {
  writeBatch(ledger, run, batch);
  Deno.stdout.writeSync(text.encode(`${batch}\n`));
}
