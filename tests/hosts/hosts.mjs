// The hosts: which frameworks there are, the pages that each has, and how Vite handles them. Used by build.mjs and
// dev.mjs.
//
// A host's folder has `body.html`, which goes into its pages, and `main.*`, which starts its app. The same sources make
// three pages: the classic script before the app (script/index.html), the classic script after the app's first render
// (script/late.html), and the module from the packed package (module/index.html).

import { svelte } from "@sveltejs/vite-plugin-svelte";
import react from "@vitejs/plugin-react";
import vue from "@vitejs/plugin-vue";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that this copy of the sources is in, beside its node_modules. */
export const work = dirname(fileURLToPath(import.meta.url));

/** Where the built pages find the classic script, beside the hosts' own folders. */
const SCRIPT = "../../widget/flexepin-cashier.js";

export const HOSTS = {
  html: { title: "Plain HTML", main: "main.js", plugins: () => [] },
  react: { title: "React", main: "main.jsx", plugins: () => [react()] },
  vue: {
    title: "Vue",
    main: "main.js",
    plugins: () => [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === "flexepin-cashier" } } })],
  },
  svelte: { title: "Svelte", main: "main.js", plugins: () => [svelte({ configFile: false })] },
  angular: { title: "Angular", main: "main.ts", plugins: () => [] },
};

/** As a tag manager or a consent banner does it: the element is rendered, and undefined, before the tag comes. */
const LATE = `
  const rendered = setInterval(() => {
    if (!document.querySelector("flexepin-cashier:not(:defined)")) return;
    clearInterval(rendered);
    document.documentElement.dataset.rendered = "before the script";
    const script = document.createElement("script");
    script.src = "${SCRIPT}";
    document.head.append(script);
  }, 50);
`;

const page = (host, head, imports) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${HOSTS[host].title}</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
${head}
${readFileSync(join(work, host, "body.html"), "utf8").trim()}
<script type="module">
${imports.map((name) => `import "${name}";`).join("\n")}
</script>
`;

/** Writes the pages of a host, and gives the folders that they are in with the pages of each. */
export function layPages(host) {
  const main = `../${HOSTS[host].main}`;
  const kinds = {
    script: {
      "index.html": page(host, `<script vite-ignore src="${SCRIPT}"></script>`, [main]),
      "late.html": page(host, `<script>${LATE}</script>`, [main]),
    },
    module: { "index.html": page(host, "", ["flexepin-cashier", main]) },
  };
  return Object.entries(kinds).map(([kind, pages]) => {
    const folder = join(work, host, kind);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text);
    return { kind, folder, pages: Object.keys(pages).map((name) => join(folder, name)) };
  });
}

/** What build and dev server have in common: URLs are relative, so that the pages work under any path. */
export const common = (root, hosts) => ({
  root,
  base: "./",
  configFile: false,
  logLevel: "warn",
  plugins: hosts.flatMap((host) => HOSTS[host].plugins()),
});
