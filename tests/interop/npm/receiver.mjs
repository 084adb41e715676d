// A recipient on the package `standardwebhooks`: verifies each delivery over the bytes as they came, writes down what it
// made of it, then answers 204 or 401. `node receiver.mjs SECRET_FILE`; says its port first, then one line per delivery.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const [secretFile] = process.argv.slice(2);

function refusal(headers, body) {
  try {
    new Webhook(readFileSync(secretFile, "utf8")).verify(body, headers);
    return "";
  } catch (refused) {
    return refused.message;
  }
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const refused = refusal(request.headers, body);
  console.log(JSON.stringify({ headers: request.headers, body: body.toString("base64"), refused }));
  response.writeHead(refused ? 401 : 204).end();
});

server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
