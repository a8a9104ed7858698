// Mints a checkout session on your server: Node 20 or newer, no dependencies.
//
//   export CASHIER_SESSION_KEYS=k1=$(openssl rand -hex 32)   # the same as the proxy has; the first one signs
//   export CASHIER_SESSION_ISSUER=https://shop.example CASHIER_SESSION_AUDIENCE=flexepin-cashier
//   node node.mjs '{"sub":"user_123","email":"anna@shop.example","amounts":["25.00","50.00"],"currency":"EUR"}'
//
// Or with a private key that stays here, so that the proxy has only the public half:
//
//   openssl genpkey -algorithm ed25519 -out session.pem      # or: openssl ecparam -genkey -name prime256v1 -noout
//   node node.mjs --key session.pem --jwks                   # prints CASHIER_SESSION_KEYS for the proxy
//   node node.mjs --key session.pem '{"sub":…}'
//
// Mint one per checkout, for a customer who is logged in, and give it to the page; never mint in the page.
import { createHash, createHmac, createPrivateKey, createPublicKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const SECONDS = 15 * 60;

/** A session of this customer, as your login knows it. An amount that you leave out the page may choose. */
function checkoutSession(facts, { issuer, audience, key }) {
  if (typeof facts.sub !== "string" || !facts.sub) throw new Error("sub must be the customer's id");
  const now = Math.floor(Date.now() / 1000);
  // A session redeems one voucher: the jti says which session it is, and nobody may guess or repeat it.
  const claims = { ...facts, iss: issuer, aud: audience, iat: now, exp: now + SECONDS, jti: randomUUID() };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: key.alg, typ: "JWT", kid: key.kid })}.${part(claims)}`;
  return `${signed}.${key.sign(signed).toString("base64url")}`;
}

/** The first of `id=secret,…`. */
function sharedKey(text) {
  const [, kid, secret] = /^([\w-]+)=([^,]+)/.exec(text ?? "") ?? [];
  if (!secret || Buffer.byteLength(secret) < 32) {
    throw new Error("CASHIER_SESSION_KEYS must be id=secret, of 32 bytes or more");
  }
  return { alg: "HS256", kid, sign: (text) => createHmac("sha256", secret).update(text).digest() };
}

/** A private key in PEM, Ed25519 or P-256. Its id is its thumbprint (RFC 7638): another key, another id. */
function ownKey(pem) {
  const key = createPrivateKey(pem);
  const { kty, crv, x, y } = createPublicKey(key).export({ format: "jwk" });
  const alg = { Ed25519: "EdDSA", "P-256": "ES256" }[crv];
  if (!alg) throw new Error("the key must be Ed25519 or P-256");
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
  // JWTs have the two halves of an ES256 signature as they are, not in DER.
  const how = { key, dsaEncoding: "ieee-p1363" };
  const hash = alg === "ES256" ? "sha256" : null;
  const jwk = { kty, crv, x, y, alg, kid, use: "sig" };
  return { alg, kid, jwk, sign: (text) => sign(hash, Buffer.from(text), how) };
}

const { values, positionals } = parseArgs({
  options: { key: { type: "string" }, jwks: { type: "boolean" } },
  allowPositionals: true,
});
const env = process.env;
const key = values.key ? ownKey(readFileSync(values.key)) : sharedKey(env.CASHIER_SESSION_KEYS);
if (values.jwks) {
  if (!key.jwk) throw new Error("--jwks wants --key: a shared secret has no public half");
  console.log(JSON.stringify({ keys: [key.jwk] }));
} else {
  if (!env.CASHIER_SESSION_ISSUER) throw new Error("CASHIER_SESSION_ISSUER is missing");
  const [issuer, audience] = [env.CASHIER_SESSION_ISSUER, env.CASHIER_SESSION_AUDIENCE || "flexepin-cashier"];
  console.log(checkoutSession(JSON.parse(positionals[0] ?? "{}"), { issuer, audience, key }));
}
