// Private mode: this page runs the exchange; the website hands sealed messages on. What is decrypted stays in this page.
import { showPrivateBill } from "./bill_page.js";
import { showFigures, toCsv } from "./chart.js";
import { Exchange } from "./exchange.js";
import { clearPin, readPin, showLeft } from "./pin.js";

const now = () => Math.floor(Date.now() / 1000);
const el = (id) => document.getElementById(id);

export function startPrivate() {
  const root = el("private");
  if (!root) return;
  const config = JSON.parse(el("config").textContent);
  const words = config.words;
  const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;
  const exchange = new Exchange(config.token, config.hub, config.hubKey);
  let queue = Promise.resolve(); // one message after the other

  const post = async (message) => {
    const headers = { "X-CSRFToken": csrf, "Content-Type": "application/json" };
    const answer = await fetch(root.dataset.relay, { method: "POST", headers, body: message }).catch(() => null);
    return Boolean(answer?.ok);
  };
  const act = (step) => (queue = queue.then(() => run(step)));
  const run = async (step) => {
    try {
      for (const message of await step()) await post(message);
    } catch (error) {
      if (error.field === undefined) throw error;
      console.warn(`refused: ${error.name} ${error.field}`);
    }
    show();
  };

  const show = () => {
    const step = {
      requested: "wait", asked: "wait", pin: "pin", proving: "progress", receiving: "progress", done: "data", refused: "refused",
    }[exchange.state];
    const entered = el(`step-${step}`).hidden;
    for (const name of ["wait", "pin", "progress", "data", "refused"]) el(`step-${name}`).hidden = name !== step;
    el("cancel").hidden = exchange.settled;
    el("wrong-pin").hidden = !(exchange.left !== null && exchange.left < 3 && ["asked", "pin"].includes(exchange.state));
    el("wrong-pin").textContent = `${words.errors.WRONG_PIN[0]} ${words.left.nothing} ${exchange.left} ${exchange.left === 1 ? "try is" : "tries are"} left.`;
    const said = document.querySelector("[data-step=requested]");
    said.textContent = exchange.state === "asked" ? "Waiting for you to press B on the display …" : "Waiting for the hub …";
    Object.assign(el("progress"), { max: exchange.chunks || 1, value: exchange.received });
    if (entered && step === "pin") clearPin();
    if (entered && step === "refused") showTrouble(exchange, words);
    if (entered && step === "data") {
      showFigures(exchange.result);
      if (config.bill) showPrivateBill(config, exchange);
    }
  };

  el("step-pin").addEventListener("submit", (event) => {
    event.preventDefault();
    const pin = readPin();
    if (pin === null) return;
    clearPin();
    act(() => exchange.enterPin(pin));
  });
  el("cancel").addEventListener("submit", (event) => {
    event.preventDefault();
    act(() => exchange.cancel());
  });
  el("save-csv").addEventListener("click", () => save("text/csv", `meterhub-${config.hub}.csv`, toCsv(exchange.result)));
  el("save-proof").addEventListener("click", () => {
    save("application/json", `meterhub-${config.hub}-proof.json`, JSON.stringify(exchange.proof()));
  });
  addEventListener("pagehide", () => (exchange.result = null));
  setInterval(() => act(() => exchange.tick(now())), 1000);
  setInterval(() => showLeft(exchange.deadline - Date.now() / 1000, exchange.left), 500);
  act(async () => {
    await exchange.open(now());
    listen(root.dataset.relay, exchange, act);
    return [];
  });
}

/** Fetch what the hub sends, for as long as the exchange goes on. */
async function listen(url, exchange, act) {
  let after = 0;
  while (!exchange.settled) {
    const answer = await fetch(`${url}?after=${after}`).catch(() => null);
    if (answer && (!answer.ok || answer.redirected)) return location.reload();
    const found = await answer?.json().catch(() => null);
    if (!found) {
      await new Promise((wake) => setTimeout(wake, 2000));
      continue;
    }
    for (const [number, message] of found.messages) {
      after = number;
      await act(() => exchange.feed(message, now()));
    }
    if (found.settled && !found.messages.length && !exchange.settled) await act(async () => exchange.cancel());
  }
}

function showTrouble(exchange, words) {
  const { name } = exchange.error;
  const [happened, todo] = words.errors[name] ?? [`The hub refused (${name.toLowerCase().replaceAll("_", " ")}).`, ""];
  const box = el("step-refused");
  box.querySelector("h1").textContent = happened;
  box.querySelector(".left").textContent = words.left[exchange.received ? "part" : "nothing"];
  box.querySelector(".todo").textContent = todo;
}

function save(type, name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
