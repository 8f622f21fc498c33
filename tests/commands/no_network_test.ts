/**
 * `analyze` makes no network access: neither what Deno sees (`--deny-net`) nor what native code might do unseen by it, which the
 * kernel counts in a separate network namespace that leads nowhere.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withFolder } from "../corpus/face_corpus.ts";
import { emocamProcess, permissionsOf, tablesOf } from "./cli.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a command where there is no network, and counts the packets, name look-ups included, that found no way out. */
async function offline(
  command: readonly string[],
): Promise<{ status: number; text: string; attempts: number }> {
  const count = "grep '^Ip:' /proc/net/snmp; grep Ip6OutNoRoutes /proc/net/snmp6";
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-rn", "sh", "-c", `"$@"; status=$?; echo; ${count}; exit $status`, "sh", ...command],
    cwd: ROOT,
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [
    string,
    string,
  ];
  const [names, values] = [...out.matchAll(/^Ip: (.*)$/gm)].map(([, line]) => line!.split(" "));
  const old = Number(values?.[names!.indexOf("OutNoRoutes")]);
  const six = Number(/^Ip6OutNoRoutes\s+(\d+)$/m.exec(out)?.[1] ?? 0);
  return { status: code, text: out + err, attempts: old + six };
}

const deno = Deno.execPath();

/** Whether namespaces are available, and their kernel counts: an attempt that is sure must be seen. */
async function countsAttempts(): Promise<boolean> {
  try {
    const { attempts } = await offline([
      ...[deno, "eval", "--no-config", "await fetch('http://192.0.2.1/').catch(() => {})"],
    ]);
    return attempts > 0;
  } catch {
    return false; // no such program, or no permission to
  }
}
const counts = Deno.build.os === "linux" && await countsAttempts();
const suffix = counts ? "" : " (skipped: no network namespaces here)";

Deno.test("analyze runs with the network denied", async () => {
  await withFolder(async (folder) => {
    const { code, stderr } = await emocamProcess(
      ["analyze", "--limit", "2", "--out", join(folder, "run")],
      {},
      ["--deny-net", "--deny-import"],
      permissionsOf("analyze"),
    ).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
});

Deno.test({
  name:
    `deno task analyze tries to reach nothing, native code included, and gives what it gives with a network${suffix}`,
  ignore: !counts,
  async fn() {
    await withFolder(async (folder) => {
      for (const backend of ["native", "wasm", "webgpu"]) {
        if (backend === "webgpu" && !await navigator.gpu?.requestAdapter()) continue;
        const out = join(folder, backend);
        const methods = ["--limit", "1", "--methods", "grad-cam", "--backend", backend, "--out"];
        const task = backend === "wasm" ? "analyze:wasm" : "analyze";
        const { status, text, attempts } = await offline([deno, "task", task, ...methods, out]);
        assert.equal(status, 0, text);
        assert.equal(attempts, 0, `${backend}: ${text}`);
        const online = join(folder, `${backend} online`);
        const { code } = await emocamProcess(["analyze", ...methods, online]).output();
        assert.equal(code, 0);
        assert.deepEqual(await tablesOf(out), await tablesOf(online));
      }
    });
  },
});

Deno.test({
  name:
    `in a long run, too: ONNX Runtime as its package has it sends usage data after ten seconds${suffix}`,
  ignore: !counts || Deno.build.arch !== "x86_64",
  async fn(t) {
    const wait = "await new Promise((resolve) => setTimeout(resolve, 20_000));";
    const model = `Deno.readFileSync("models/mini-xception.onnx")`;
    const [bare, ours] = await Promise.all([
      `const { default: ort } = await import("onnxruntime-node");
       await ort.InferenceSession.create(${model}); ${wait}`,
      `const { openSession } = await import("./src/runtime/open.ts");
       await openSession(${model}, "native"); ${wait}`,
    ].map((program) =>
      // It sends nothing where it takes the machine for a build server.
      offline([
        ...["env", "-u", "CI", "-u", "ORT_DISABLE_TELEMETRY", "DENO_NO_UPDATE_CHECK=1"],
        ...[deno, "eval", program],
      ])
    ));
    assert.equal(ours!.status, 0, ours!.text);
    assert.equal(ours!.attempts, 0, ours!.text);
    // What the package does by itself is not ours: where it is silent, the test shows less, and says so.
    if (bare!.attempts === 0) {
      await t.step({ name: "(the package sent nothing here: no control)", ignore: true, fn() {} });
    }
  },
});
