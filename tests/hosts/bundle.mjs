// Bundles the hosts' pages with Vite, and looks whether the bundles hold what they must: the module's wasm as a file of
// its own under a relative URL. Runs in the copy of the sources that build.mjs makes.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { common, HOSTS, layPages } from "./hosts.mjs";

/** Writes each host into `out`/<host>. */
export async function buildHosts(out, step) {
  for (const host of Object.keys(HOSTS)) {
    step(`vite build: ${host}`);
    for (const { kind, folder, pages } of layPages(host)) {
      const outDir = join(out, host, kind);
      // Angular's compiler goes to the browser here: its bundle is large, and nobody downloads it.
      const output = { outDir, emptyOutDir: true, chunkSizeWarningLimit: 2000, rolldownOptions: { input: pages } };
      await build({ ...common(folder, [host]), build: output });
    }
    checkModule(host, join(out, host, "module"));
  }
}

function checkModule(host, place) {
  const files = readdirSync(place, { recursive: true });
  const wasm = files.filter((file) => file.endsWith(".wasm"));
  if (wasm.length !== 1) throw new Error(`${host}: the bundle must have one wasm file, and has ${files.join(" ")}`);
}
