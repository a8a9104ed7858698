// Builds every host's pages from the package as a merchant gets it: `npm pack` of the distribution, installed from that
// tarball beside the pinned frameworks.
//
// `node tests/hosts/build.mjs --dist <dist> --out <folder>` writes <folder>/<host>/{script,module}/… and
// <folder>/widget/, the files that a merchant serves for the classic script, and <folder>/axe.min.js, which browser tests
// check every screen with. All work is done in <folder>/work, so that nothing is installed among the sources. Any step
// that fails ends it with code 1.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { dist: { type: "string" }, out: { type: "string" } } });
if (!values.dist || !values.out) throw new Error("usage: node build.mjs --dist <distribution> --out <folder>");
const dist = resolve(values.dist);
const out = resolve(values.out);
const work = join(out, "work");

const step = (text) => console.log(`hosts: ${text}`);
const npm = (...args) => {
  args.push("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error");
  return execFileSync("npm", args, { cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
};

/** The frameworks, unless those of this very lock file are there. */
function install() {
  const lock = readFileSync(join(here, "package-lock.json"), "utf8");
  const done = join(work, "node_modules/.lock-of-hosts");
  if (existsSync(done) && readFileSync(done, "utf8") === lock) return;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(here, file), join(work, file));
  step("npm ci: the frameworks");
  npm("ci");
  writeFileSync(done, lock);
}

/** The package as npm would publish it, and not by a link: so that bundlers treat it like any other. */
function installPackage() {
  step("npm pack: the package");
  const [{ filename, files }] = JSON.parse(npm("pack", dist, "--json"));
  const unwanted = files.filter(({ path }) => /\.(br|gz)$/.test(path));
  if (unwanted.length) throw new Error(`the tarball has compressed copies in it: ${unwanted[0].path}`);
  step("npm install: the package");
  npm("install", "--no-save", join(work, filename));
  rmSync(join(work, filename));
}

/** The sources of this folder beside the frameworks: modules are found upwards from the file that wants them. */
function copySources() {
  for (const name of readdirSync(here)) {
    if (["node_modules", "package.json", "package-lock.json"].includes(name)) continue;
    rmSync(join(work, name), { recursive: true, force: true });
    cpSync(join(here, name), join(work, name), { recursive: true });
  }
}

function copyWidget() {
  const widget = join(out, "widget");
  rmSync(widget, { recursive: true, force: true });
  mkdirSync(widget, { recursive: true });
  for (const kind of ["js", "css", "wasm"]) {
    const file = `flexepin-cashier.${kind}`;
    cpSync(join(dist, file), join(widget, file));
  }
}

/** What `tests/e2e/everywhere/accessibility.rs` puts into the pages that it checks. */
function copyAxe() {
  cpSync(join(work, "node_modules/axe-core/axe.min.js"), join(out, "axe.min.js"));
}

async function main() {
  install();
  installPackage();
  copySources();
  copyWidget();
  copyAxe();
  const { buildHosts } = await import(pathToFileURL(join(work, "bundle.mjs")));
  await buildHosts(out, step);
  const { checkServer } = await import(pathToFileURL(join(work, "server.mjs")));
  await checkServer(step);
  step("done");
}

await main();
