// Vite's dev server over the hosts' pages. Runs in the copy of the sources that build.mjs makes.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { common, HOSTS, layPages, work } from "./hosts.mjs";

/** Serves pages from loopback and gives the address. */
export async function serve(vite, port, proxy) {
  const { createServer } = await import(vite);
  const hosts = vite === "vite" ? Object.keys(HOSTS) : ["html"];
  for (const host of hosts) layPages(host);
  // What was optimised for another package of the same version would be served again.
  const cacheDir = join(work, "node_modules/.vite");
  rmSync(cacheDir, { recursive: true, force: true });
  const server = await createServer({
    ...common(work, hosts),
    server: { host: "127.0.0.1", port, strictPort: true, hmr: false, proxy: { "/cashier": proxy } },
  });
  await server.listen();
  return `http://127.0.0.1:${server.httpServer.address().port}`;
}
