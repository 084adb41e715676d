// Says of each case on stdin whether it verifies: by the package `standardwebhooks` with a secret, or, for `v1a`, which
// the package does not know, by Node's own Ed25519 with a public key. A case may name the moment at which it is read.
import { createPublicKey, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";

function bySecret({ secret, headers }, body) {
  new Webhook(secret).verify(body, headers, { jsonParse: false });
}

function byPublicKey({ publicKey, headers }, body) {
  const x = Buffer.from(publicKey.replace(/^whpk_/, ""), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const given = headers["webhook-signature"].split(" ").filter((part) => part.startsWith("v1a,"));
  if (!given.some((part) => verify(null, signed, key, Buffer.from(part.slice(4), "base64")))) {
    throw new Error("No matching signature found");
  }
}

function verdict(one) {
  const today = Date.now;
  try {
    Date.now = () => one.now * 1000;
    (one.publicKey ? byPublicKey : bySecret)(one, Buffer.from(one.body, "base64"));
    return "";
  } catch (refused) {
    return `${refused.name}: ${refused.message}`;
  } finally {
    Date.now = today;
  }
}

let said = "";
for await (const part of process.stdin) said += part;
process.stdout.write(JSON.stringify(JSON.parse(said).map(verdict)));
