// The type tests: static/flexepin-cashier.d.ts is checked as a package that somebody has installed, with skipLibCheck
// off. What must check stands as it is; what must not has `@ts-expect-error` above it, so that an error that disappears
// fails too.
//
// Started by `npm run types` (or `node tests/types/check.mjs`); ends with code 1, and the compiler's words, if any
// fails. Each TypeScript × each way of resolving modules × a page without and one with React's typings. The tools are
// installed from the lock file into target/types.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const scratch = join(root, "target/types");
const tools = join(scratch, "tools");

const { dependencies } = JSON.parse(read(here, "package.json"));
const compilers = Object.keys(dependencies).filter((name) => name.startsWith("typescript-"));
const resolutions = [
  { name: "bundler", module: "ESNext", moduleResolution: "bundler" },
  { name: "nodenext", module: "NodeNext", moduleResolution: "nodenext" },
];
/** The pages, with the typings that their folder has besides ours. */
const pages = [
  { name: "dom", files: ["valid.ts", "invalid.ts", "script.ts"], typings: [] },
  { name: "react", files: ["valid.ts", "invalid.ts", "react.tsx"], typings: ["@types/react", "csstype"] },
];

function read(...path) {
  return readFileSync(join(...path), "utf8");
}

/** Installs the tools, unless those of this very lock file are there. */
function install() {
  const lock = read(here, "package-lock.json");
  const done = join(tools, "done");
  if (existsSync(done) && read(done) === lock) return;
  rmSync(tools, { recursive: true, force: true });
  mkdirSync(tools, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(here, file), join(tools, file));
  console.log("types: npm ci");
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  execFileSync("npm", ["ci", ...quiet], { cwd: tools, stdio: "inherit" });
  writeFileSync(done, lock);
}

/** A merchant's folder: its sources, and our package installed beside those that it has. */
function lay(page) {
  const folder = join(scratch, page.name);
  rmSync(folder, { recursive: true, force: true });
  const ours = join(folder, "node_modules/flexepin-cashier");
  mkdirSync(ours, { recursive: true });
  cpSync(join(root, "static/flexepin-cashier.d.ts"), join(ours, "flexepin-cashier.d.ts"));
  const exports = { ".": { types: "./flexepin-cashier.d.ts", default: "./flexepin-cashier.mjs" } };
  const description = { name: "flexepin-cashier", version: "0.0.0", type: "module", exports };
  writeFileSync(join(ours, "package.json"), JSON.stringify(description));
  for (const name of page.typings) {
    cpSync(join(tools, "node_modules", name), join(folder, "node_modules", name), { recursive: true });
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const file of page.files) cpSync(join(here, file), join(folder, file));
  return folder;
}

function check(folder, page, { name, ...resolution }, compiler) {
  const config = join(folder, `${name}.json`);
  const compilerOptions = {
    ...resolution,
    target: "ES2022", lib: ["ES2022", "DOM"], types: [], jsx: "react-jsx",
    strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true,
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, files: page.files }));
  const { version, bin } = JSON.parse(read(tools, "node_modules", compiler, "package.json"));
  const tsc = join(tools, "node_modules", compiler, bin.tsc);
  const args = [tsc, "--project", config, "--pretty", "false"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  console.log(`types: ${page.name} page, ${name}, TypeScript ${version}: ${status === 0 ? "ok" : "FAILED"}`);
  if (status !== 0) console.error(stdout + stderr);
  return status === 0;
}

install();
let failed = 0;
let passed = 0;
for (const page of pages) {
  const folder = lay(page);
  for (const resolution of resolutions) {
    for (const compiler of compilers) check(folder, page, resolution, compiler) ? passed++ : failed++;
  }
}
console.log(`types: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
