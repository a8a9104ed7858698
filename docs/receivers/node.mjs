// Is told by the proxy what to credit: Node 20.10 or newer, no dependencies.
//
//   CASHIER_NOTIFY_SECRET=whsec_… CREDITS=/var/lib/shop/credits PORT=8090 node node.mjs
//
// Give the proxy the same secret, and `--notify-url https://…` of this server behind your TLS. Make `record` write to
// your own database. Whatever is not answered 2xx comes again, for ever, so nothing is answered before it is stored.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { linkSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const { CASHIER_NOTIFY_SECRET, CREDITS } = process.env;
if (!CASHIER_NOTIFY_SECRET || !CREDITS) throw new Error("CASHIER_NOTIFY_SECRET and CREDITS must be set");
// Several while you change it: whichever signed is fine.
const SECRETS = CASHIER_NOTIFY_SECRET.trim().split(/\s+/).map((text) => {
  const secret = Buffer.from(/^whsec_(.+)$/.exec(text)?.[1] ?? "", "base64");
  if (secret.length < 24) throw new Error("CASHIER_NOTIFY_SECRET must be whsec_ and base64");
  return secret;
});
const TOLERANCE_S = 5 * 60;

/** Whether the proxy sent it, and lately (Standard Webhooks). `body` is the bytes as they came: parse them after. */
function isSigned(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (!id || !/^\d{1,12}$/.test(timestamp) || !signatures) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const given = signatures.split(" ").map((one) => Buffer.from(/^v1,(.+)$/.exec(one)?.[1] ?? "", "base64"));
  return SECRETS.some((secret) => {
    const right = createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(body).digest();
    return given.some((one) => one.length === right.length && timingSafeEqual(one, right));
  });
}

/** What to do about a line of the books. Its value is in major units of its currency, and may not be known. */
function actionFor({ type, data }) {
  if (type === "flexepin.duplicate") return "nothing"; // its transaction was told under another attempt
  const isKnown = type === "flexepin.redeemed" && typeof data.value === "number" && data.currency && data.userId;
  return isKnown ? "credit" : "ask"; // "ask" is for a person: look it up, then credit
}

/**
 * Your database: INSERT a row whose unique key is the attempt, and the customer's credit, in one transaction; a row
 * that is there already changes nothing. Here: a file per attempt, which comes into being whole, and once.
 */
function record(attempt, row) {
  const file = join(CREDITS, `${attempt}.json`);
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(row), { flag: "wx", flush: true, mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    unlinkSync(draft);
  }
}

async function read(request, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    if ((length += chunk.length) > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(request) {
  if (request.method !== "POST") return 405;
  const body = await read(request, 64 * 1024);
  if (!body) return 413;
  if (!isSigned(request.headers, body)) return 401;
  const event = JSON.parse(body);
  const attempt = event.data?.attempt;
  if (!/^[0-9a-f-]{36}$/.test(attempt)) return 400;
  record(attempt, { ...event.data, action: actionFor(event) });
  return 204;
}

const server = createServer(async (request, response) => {
  const status = await answer(request).catch((error) => {
    console.error(`not recorded: ${error.message}`);
    return 500; // it comes again
  });
  response.writeHead(status, status === 413 ? { Connection: "close" } : {}).end();
});
server.requestTimeout = 30_000;
server.listen(Number(process.env.PORT ?? 8090), "127.0.0.1", () => {
  console.log(`node.mjs listens on http://127.0.0.1:${server.address().port}`);
});
