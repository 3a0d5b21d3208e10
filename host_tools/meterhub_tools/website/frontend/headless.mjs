// Private mode without a browser, for the demo and for tests: logs in, asks, runs the page's own exchange.js.
//
// stdin   first line: JSON {url, user, password, hub, from, to, regs, res}; from and to are days YYYY-MM-DD, UTC.
//         then one PIN a line, whenever {"ev":"pin"} was printed.
// stdout  JSON lines {"ev": "asked" | "pin" | "wrong" | "receiving" | "done" | "refused", ...}; "done" has entries,
//         first and last import register in Wh, missing, and proof when it was asked for (proof: true).
// exits   0 done, 1 refused.
import { createInterface } from "node:readline";
import { Exchange } from "./exchange.js";
import { cleanPin } from "./codec.js";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextLine = async () => (await lines.next()).value ?? (await fail("stdin ended"));
const say = (ev, more = {}) => new Promise((written) => process.stdout.write(`${JSON.stringify({ ev, ...more })}\n`, written));
const now = () => Math.floor(Date.now() / 1000);

/** Say why and end; what was written has to be out before, or a pipe gets only its beginning. */
async function fail(why) {
  await say("refused", { error: why });
  process.exit(1);
}

/** A browser session: cookies, and forms with their token. */
class Session {
  constructor(url) {
    this.url = url;
    this.cookies = new Map();
  }

  async fetch(path, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...options.headers, cookie, referer: this.url, origin: new URL(this.url).origin };
    const answer = await fetch(new URL(path, this.url), { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      this.cookies.set(name, value);
    }
    return answer;
  }

  async send(path, fields, target = path) {
    const page = await (await this.fetch(path)).text();
    const token = page.match(/name="csrfmiddlewaretoken" value="([^"]+)"/)?.[1] ?? (await fail(`no form at ${path}`));
    const body = new URLSearchParams([...fields, ["csrfmiddlewaretoken", token]]);
    const answer = await this.fetch(target, { method: "POST", body });
    if (answer.status >= 400) await fail(`${target}: ${answer.status}`);
    return answer.headers.get("location");
  }
}

async function begin(session, wish) {
  await session.send("/log-in/", [["username", wish.user], ["password", wish.password]]);
  const fields = [["start", wish.from], ["stop", wish.to], ["res", wish.res], ["mode", "private"], ["zone", "UTC"]];
  const regs = wish.regs.map((reg) => ["regs", reg]);
  const address = await session.send(`/hubs/${wish.hub}/ask/`, [...fields, ...regs]);
  const page = await (await session.fetch(address)).text();
  const config = JSON.parse(page.match(/<script id="config" type="application\/json">(.*?)<\/script>/s)[1]);
  const csrf = page.match(/name="csrfmiddlewaretoken" value="([^"]+)"/)[1];
  return { address, config, csrf };
}

async function converse(session, { address, config, csrf }) {
  const exchange = new Exchange(config.token, config.hub, config.hubKey);
  await exchange.open(now());
  const post = async (messages) => {
    const headers = { "X-CSRFToken": csrf, "content-type": "application/json" };
    for (const body of messages) await session.fetch(`${address}relay`, { method: "POST", headers, body });
  };
  let after = 0;
  let shown = "";
  while (!exchange.settled) {
    const found = await (await session.fetch(`${address}relay?after=${after}`)).json();
    for (const [number, message] of found.messages) {
      after = number;
      const left = exchange.left;
      await exchange.feed(message, now()).then(post).catch((error) => error.field === undefined && fail(error.stack));
      if (left !== null && exchange.left < left && !exchange.settled) await say("wrong", { left: exchange.left });
      if (exchange.state !== shown && !exchange.settled) await say((shown = exchange.state), { code: exchange.code });
      if (exchange.state === "pin") shown = await prove(exchange, post);
    }
    if (found.settled && !found.messages.length && !exchange.settled) await fail("the website ended it");
    await post(await exchange.tick(now()));
  }
  return exchange;
}

async function prove(exchange, post) {
  let pin = (await nextLine()).trim();
  for (;;) {
    try {
      cleanPin(pin);
      break;
    } catch (error) {
      await say("typo", { error: error.name });
      pin = (await nextLine()).trim();
    }
  }
  await post(await exchange.enterPin(pin));
  return "proving";
}

function report(result) {
  const column = result.columns.findIndex((found) => found.obis === "1-0:1.8.0");
  const read = [result.base, ...result.entries.map((entry) => entry.values)].map((values) => values[column] ?? null);
  const known = read.filter((value) => value !== null).map((value) => value * 10 ** result.columns[column].scale);
  const missing = result.entries.filter((entry) => entry.quality === 0).length;
  return { entries: result.entries.length, missing, first_wh: known[0], last_wh: known.at(-1) };
}

const wish = { regs: ["1-0:1.8.0"], res: "half-hour", ...JSON.parse(await nextLine()) };
const session = new Session(wish.url);
const exchange = await converse(session, await begin(session, wish));
if (exchange.state !== "done") await fail(exchange.error.name);
await say("done", { ...report(exchange.result), ...(wish.proof && { proof: exchange.proof() }) });
process.exit(0);
