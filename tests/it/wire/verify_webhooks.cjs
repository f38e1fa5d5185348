// Verifies webhooks with the standard's library for Node, and signatures of a pair with Node's own.
//
// In: a file of JSON, {secrets, pair, messages: [{headers, body}]}. Out: {"verified", "refused", "pairs"},
// how many were taken as they came, refused with another body, and taken under the pair's public half.
const crypto = require("node:crypto");
const fs = require("node:fs");
const { Webhook } = require("standardwebhooks");

const received = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
// A seed becomes a key by what stands in front of it in PKCS #8.
const seed = Buffer.from(received.pair.slice("whsk_".length), "base64");
const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
const privateKey = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
const publicKey = crypto.createPublicKey(privateKey);

const counts = { verified: 0, refused: 0, pairs: 0 };
for (const { headers, body } of received.messages) {
  for (const secret of received.secrets) {
    const webhook = new Webhook(secret);
    webhook.verify(body, headers);
    counts.verified += 1;
    try {
      webhook.verify(body + " ", headers);
    } catch {
      counts.refused += 1;
    }
  }
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  for (const signature of headers["webhook-signature"].split(" ")) {
    const [version, base64] = signature.split(",");
    const bytes = Buffer.from(base64, "base64");
    if (version === "v1a" && crypto.verify(null, Buffer.from(content), publicKey, bytes)) {
      counts.pairs += 1;
    }
  }
}
console.log(JSON.stringify(counts));
