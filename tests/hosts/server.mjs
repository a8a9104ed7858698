// The package on a server: importing it does nothing, and React renders the tag with its attributes as text. Runs in
// the copy of the sources that build.mjs makes.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { common, work } from "./hosts.mjs";

const TAG =
  '<flexepin-cashier endpoint="/cashier/flexepin" amounts="10 25 50" currency="EUR" user-id="user_123" ' +
  'email="player@example.com" theme="light">Your browser is too old for this.</flexepin-cashier>';

export async function checkServer(step) {
  step("server: import, and React's renderToString");
  const { mount, version } = await import("flexepin-cashier");
  assert.equal(typeof mount, "function");
  assert.match(version, /^\d+\.\d+\.\d+/);
  const place = join(work, "server");
  const output = { ssr: join(work, "react/app.jsx"), outDir: place, emptyOutDir: true };
  await build({ ...common(work, ["react"]), build: output });
  const { App } = await import(pathToFileURL(join(place, "app.js")));
  const { createElement } = await import("react");
  const { renderToString } = await import("react-dom/server");
  const html = renderToString(createElement(App));
  assert.ok(html.includes(TAG), `the tag is not as it should be: ${html}`);
}
