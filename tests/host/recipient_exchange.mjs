// Drives the page's exchange.js for the tests: one JSON command a line in, one JSON answer a line out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { Exchange } = await import(pathToFileURL(process.argv[2]).href);
let exchange = null;

const commands = {
  async open({ token, hub, key, now }) {
    exchange = new Exchange(token, hub, key);
    await exchange.open(now);
    return [];
  },
  feed: ({ message, now }) => exchange.feed(message, now),
  pin: ({ pin }) => exchange.enterPin(pin),
  cancel: () => exchange.cancel(),
  tick: ({ now }) => exchange.tick(now),
  proof: () => [JSON.stringify(exchange.proof())],
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { send: await commands[command.do](command) };
  } catch (error) {
    answer = { error: error.name, field: error.field ?? error.stack };
  }
  const { state, left, code, received, chunks, result, error, deadline } = exchange ?? {};
  const refused = error ? { name: error.name, field: error.field } : null;
  console.log(JSON.stringify({ ...answer, state, left, code, received, chunks, result, refused, deadline }));
}
