// A real Vite dev server over the packed module, as a merchant's developer has it: Vite's own defaults, its dependency
// optimiser among them. The pages are those of hosts.mjs, under /<host>/module/.
//
// `node tests/hosts/dev.mjs --work <out of build.mjs>/work --vite <vite or vite-7> --port <port, 0 for a free one>
// --proxy <URL>` forwards /cashier to the proxy, prints `listens on URL`, and ends when it is ended. build.mjs must have
// run: it lays the copy of the sources. The plugins are Vite 8's, so Vite 7 has plain HTML alone.

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const given = { type: "string" };
const { work, vite, port, proxy } = parseArgs({ options: { work: given, vite: given, port: given, proxy: given } }).values;
if (!work || !vite || !port || !proxy) throw new Error("dev.mjs needs --work, --vite, --port and --proxy");
const { serve } = await import(pathToFileURL(join(resolve(work), "serve.mjs")));
console.log(`listens on ${await serve(vite, Number(port), proxy)}`);
