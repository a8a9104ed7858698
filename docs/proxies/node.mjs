// A pass-through proxy between the Flexepin cashier and Mozarto: Node 20 or newer, no dependencies.
//
//   MOZARTO_URL=https://backend.stg-app.mozarto.io CASHIER_COMPANY_TOKEN=… node node.mjs
//
// Make `customerOf` ask your own sessions, and run it behind your web server, which has the TLS. One process: the limit
// on tries is in its memory. It keeps no attempts; docs/proxy.md says what that costs.
import { createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const { MOZARTO_URL, CASHIER_COMPANY_TOKEN: TOKEN } = process.env;
if (!MOZARTO_URL || !TOKEN) throw new Error("MOZARTO_URL and CASHIER_COMPANY_TOKEN must be set");
const DEADLINE_MS = Number(process.env.MOZARTO_DEADLINE_MS ?? 45_000);
const MAX_ATTEMPTS = Number(process.env.ATTEMPTS_PER_CUSTOMER ?? 10); // in ten minutes
const DEMO = JSON.parse(process.env.DEMO_SESSIONS ?? "{}"); // nobody is logged in unless you say so

/** Your login: who sends this request, as userId, email and, where you have brands, brandId; or nothing. */
function customerOf(request) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  return scheme === "Bearer" && Object.hasOwn(DEMO, token) ? DEMO[token] : undefined;
}

/** An answer of our own, in Mozarto's error shape, to be thrown. */
function own(status, message, { code, headers = {}, errors = [] } = {}) {
  const body = { status: "error", isSuccess: false, message, errors, ...(code && { errorCode: code }) };
  return { status, headers, body: JSON.stringify(body) };
}
const invalid = (error) => own(400, "Validation failed", { errors: [error] });
const lost = (why) => own(504, why); // without errorCode: nobody knows what became of the voucher

async function read(stream, limit) {
  const chunks = [];
  let length = 0;
  for await (const chunk of stream) {
    if ((length += chunk.length) > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads what the browser sent and builds what Mozarto gets. Who pays is the session's word. */
function payIn(text, customer) {
  let sent;
  try { sent = JSON.parse(text); } catch { throw invalid("the body must be JSON"); }
  if (sent === null || typeof sent !== "object" || Array.isArray(sent)) throw invalid("the body must be an object");
  // JSON.parse keeps the last of two fields of one name, so the names are counted in the text.
  const names = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((string) => string[1]);
  if (names.length !== Object.keys(sent).length) throw invalid("a field is there twice");
  const { voucherPin, baseamount, currency, currencyCode, ...rest } = sent;
  const fixed = { pspType: "FLEXEPIN", type: "PAYIN", ...customer };
  for (const [name, value] of Object.entries(rest)) {
    if (!Object.hasOwn(fixed, name)) throw invalid("the body has a field that is not known");
    if (value !== fixed[name] && value !== null) throw invalid(`${name} is not what it must be`);
  }
  if (rest.pspType == null || rest.type == null) throw invalid("pspType and type must be there");
  if (typeof voucherPin !== "string" || !/^[0-9]{16}$/.test(voucherPin)) throw invalid("voucherPin must be 16 digits");
  if (typeof baseamount !== "number" || !(baseamount > 0 && baseamount < 1e9)) throw invalid("amount must be above 0");
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) throw invalid("currency must be such as EUR");
  if (currencyCode !== currency) throw invalid("currencyCode must be the same as currency");
  return { ...fixed, voucherPin, baseamount, currency, currencyCode };
}

const attempts = new Map(); // customer → attempt's key → when it was new
function limit(userId, key) {
  const now = Date.now();
  const keys = new Map([...(attempts.get(userId) ?? [])].filter(([, since]) => now - since < 600_000));
  // The same attempt again is no new one: its voucher may be taken already.
  if (!keys.has(key) && keys.size >= MAX_ATTEMPTS) {
    throw own(429, "Too many tries", { code: "TOO_MANY_TRIES", headers: { "Retry-After": "600" } });
  }
  attempts.set(userId, keys.set(key, keys.get(key) ?? now));
}

function userToken({ userId, email }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ userId, email, iat: now, exp: now + 300 })}`;
  return `${signed}.${createHmac("sha256", TOKEN).update(signed).digest("base64url")}`;
}

/** One try. What fails here is not logged: an error may hold what was sent. */
async function ask(body, customer) {
  const url = `${MOZARTO_URL.replace(/\/+$/, "")}/v1/api/mozarto/cashier`;
  const headers = { Authorization: `Bearer ${TOKEN}`, "x-user-token": `Bearer ${userToken(customer)}` };
  headers["Content-Type"] = "application/json";
  const rules = { method: "POST", headers, redirect: "manual", signal: AbortSignal.timeout(DEADLINE_MS) };
  const response = await fetch(url, { ...rules, body: JSON.stringify(body) }).catch((error) => {
    const noConnection = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"];
    if (!noConnection.includes(error.cause?.code)) throw lost("Mozarto gave no answer");
    throw own(503, "Nothing was sent", { code: "NOT_SENT", headers: { "Retry-After": "5" } });
  });
  const text = await read(response.body ?? [], 256 * 1024).catch(() => undefined);
  if (text === undefined) throw lost("Mozarto gave no complete answer");
  return passedOn(response.status, response.headers.get("retry-after"), text, body.voucherPin);
}

/** Mozarto's answer, as it may reach a browser: unchanged, without the PIN, and never a word that is only ours. */
function passedOn(status, wait, text, pin) {
  const echo = new RegExp([...pin].join('[^0-9A-Za-z"]{0,3}'), "g");
  const body = text.replace(echo, "[PIN]");
  let reply;
  try { reply = JSON.parse(body); } catch { throw lost("Mozarto's answer is not JSON"); }
  const documented = typeof reply?.isSuccess === "boolean" || typeof reply?.errorCode === "string";
  const ours = /^(NOT_SENT|TOO_MANY_TRIES|VOUCHER_IN_USE|ATTEMPT_.*|SESSION_.*)$/.test(reply?.errorCode ?? "");
  const unsafe = (status >= 300 && status < 400) || JSON.stringify(reply).search(echo) >= 0;
  if (!documented || ours || unsafe) throw lost("Mozarto's answer is not documented");
  // Browsers repeat a POST by themselves after a 408.
  return { status: status === 408 ? 504 : status, headers: wait ? { "Retry-After": wait } : {}, body };
}

async function answer(request) {
  if (request.method !== "POST") throw own(405, "Method not allowed", { headers: { Allow: "POST" } });
  const customer = customerOf(request);
  if (!customer) throw own(401, "Log in first", { code: "SESSION_REQUIRED" });
  const type = (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/json") throw own(415, "Send application/json");
  const text = await read(request, 16 * 1024);
  if (text === undefined) throw own(413, "The body is too long", { headers: { Connection: "close" } });
  const body = payIn(text, customer);
  limit(customer.userId, (request.headers["idempotency-key"] ?? randomUUID()).replaceAll('"', "").toLowerCase());
  return ask(body, customer);
}

const server = createServer(async (request, response) => {
  const done = await answer(request).catch((thrown) => (thrown.body ? thrown : lost("The proxy failed")));
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store", ...done.headers };
  response.writeHead(done.status, headers).end(done.body);
});
server.requestTimeout = 30_000; // for a browser that never ends its request
server.listen(Number(process.env.PORT ?? 8082), "127.0.0.1", () => {
  console.log(`node.mjs listens on http://127.0.0.1:${server.address().port}`);
});
