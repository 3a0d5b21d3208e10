// My bill: makes it in private mode, verifies it in both modes, and shows how it was made up. In private mode readings,
// keys and fee stay in this page; the website hears that the bill was made, and nothing of what it came to.
import { fromHex, joinKeys, packBatches, readBatches, readBill, readSignedTariff, Refused } from "./bill_codec.js";
import { House, proveBill, Work } from "./bill_prover.js";
import { checkBill, readDays } from "./bill_verifier.js";
import { drawViews } from "./bill_views.js";
import { fromBase64url, join, toBase32, toBase64url } from "./codec.js";
import { readTariff } from "./tariff.js";

const el = (id) => document.getElementById(id);
const IMPORT = "1-0:1.8.0";
const EXPORT = "1-0:2.8.0";
const WH = 30;
const WAYS = {
  batches: (about) => `${about.days} sealed days, each signed by your hub; none is left out, none is there twice`,
  tariff: (about) => `the tariff is signed by ${about.signer}, was there before, and cannot be used to read your readings`,
  about: () => "the bill is about this hub, these days, this tariff and this number, and nothing else",
  registers: () => "all half-hours together are what the meter’s register has counted",
  fee: () => "the fee follows from the sealed half-hours and the prices",
  amounts: () => "tax, standing charge and rounding follow from the fee",
};

/** Return what the registers read, by time, in Wh: [imported, fed in]. */
export function registersOf({ columns, start, base, entries }) {
  const places = [IMPORT, EXPORT].map((obis) => columns.findIndex((column) => column.obis === obis));
  const found = new Map();
  for (const { at, values } of [{ at: start, values: base }, ...entries]) {
    const [imported, exported] = places.map((i) => (i < 0 ? null : inWh(values[i], columns[i])));
    if (imported !== null) found.set(at, [imported, exported]);
  }
  return found;
}

const inWh = (value, { scale, unit }) => (value === null || unit !== WH || scale < 0 ? null : value * 10 ** scale);

/** Return an amount of the currency's units x 10^decimals as people write it. */
export function money(amount, decimals, currency) {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...digits });
  return format.format(Number(amount) / 10 ** decimals);
}

const kwh = (wh) => (wh / 1000).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const grouped = (hex) => toBase32(fromHex(hex)).match(/.{4}/g).join(" ");

// -- private mode --------------------------------------------------------------------------------------------------

/** Make the bill from what the exchange has fetched, verify it and show it. */
export async function showPrivateBill(config, exchange) {
  const { result, hubKey } = exchange;
  await shown(config, async (raw) => {
    const keys = joinKeys(result.keys);
    say("Opening what your hub has sealed …");
    const house = await House.open(raw, keys, registersOf(result), progress);
    say("Working out the fee and its proof …");
    const { bill, proof, work } = await proveBill(house, fromBase64url(config.bill.tariff), config.bill.nonce);
    const found = await verified(config, raw, hubKey, bill, proof);
    await note();
    return { ...found, house, work, keys, bill, proof, opened: house.done };
  });
}

/** Tell the website that the bill was made; Refused when it must not be given away. */
async function note() {
  const root = el("bill");
  const headers = { "X-CSRFToken": root.querySelector("[name=csrfmiddlewaretoken]").value };
  const answer = await fetch(root.dataset.made, { method: "POST", headers }).catch(() => null);
  if (answer?.status === 409) throw new Refused("SECOND_BILL");
  if (!answer?.ok) throw new Error("the website could not be reached");
}

// -- server mode ---------------------------------------------------------------------------------------------------

/** Verify and show the bill that the website has made, if the page has one. */
export async function startBill() {
  const told = el("bill-config");
  if (!told) return;
  const config = JSON.parse(told.textContent);
  await shown(config, async (raw) => {
    const answer = await fetch(el("bill").dataset.readings, { headers: { Accept: "application/json" } });
    const house = House.look(raw, registersOf(await answer.json()));
    const [bill, proof, keys] = ["bill", "proof", "keys"].map((name) => fromBase64url(config.bill[name]));
    const check = config.bill.linear ? verified : looked;
    const found = await check(config, raw, fromBase64url(config.hubKey), bill, proof);
    const work = config.bill.linear ? new Work(house, found.rates) : null;
    return { ...found, house, work, keys, bill, proof };
  });
}

// -- both ----------------------------------------------------------------------------------------------------------

function say(text) {
  el("bill-step").textContent = text;
  progress(0, 1);
}

const progress = (value, max) => Object.assign(el("bill-progress"), { max, value });

async function verified(config, raw, hubKey, bill, proof) {
  say("Verifying it as your supplier will …");
  const days = await readDays(raw, hubKey, progress);
  const { tariff, signer, nonce } = config.bill;
  return checkBill(days, fromBase64url(tariff), signer, nonce, bill, proof);
}

/** Return a bill by a tariff that a page cannot prove or verify; whose batches are the hub's is looked at all the same. */
async function looked(config, raw, hubKey, bill) {
  await readDays(raw, hubKey, progress);
  const rates = readTariff(readSignedTariff(fromBase64url(config.bill.tariff)).packed);
  return { said: readBill(bill), rates, checked: ["batches"] };
}

async function shown(config, work) {
  try {
    const answer = await fetch(el("bill").dataset.batches);
    if (!answer.ok) throw new Error("the website could not be reached");
    const raw = readBatches(new Uint8Array(await answer.arrayBuffer()));
    show(config, raw, await work(raw));
  } catch (error) {
    console.warn(`no bill: ${error.name} ${error.detail ?? error.message}`);
    refused(config.bill.words, error);
  }
  el("bill-work").hidden = true;
}

function refused({ errors, other }, error) {
  const unknown = ["The page could not finish the bill.", "Look whether you are online, then make the bill again."];
  const [happened, todo] = error instanceof Refused ? (errors[error.name] ?? other) : unknown;
  const box = el("bill-refused");
  box.querySelector("h2").textContent = happened;
  box.querySelector(".left").textContent = el("bill").dataset.mode === "private"
    ? "No bill was made. The readings came to this page alone, sealed; nothing went on from here."
    : "No bill is shown. The readings are with this website until you log off; no bill left it.";
  box.querySelector(".todo").textContent = todo;
  box.hidden = false;
}

function show(config, raw, found) {
  const { said, rates, house, work } = found;
  el("bill-done").hidden = false;
  el("bill-total").textContent = money(said.total, rates.round, rates.currency);
  const percent = (rates.taxBp / 100).toLocaleString();
  el("bill-tax").textContent = rates.taxBp ? `with ${percent} % tax` : "";
  fillParts(said, rates, work);
  el("bill-gaps").textContent = gapWords(said, house);
  const about = { days: raw.length, signer: grouped(config.bill.signer) };
  const checks = found.checked.map((name) => WAYS[name](about));
  if (found.opened) checks.unshift(`${found.opened.toLocaleString()} seals were opened again with your keys: each holds your reading`);
  el("bill-verified").textContent = found.checked.includes("fee")
    ? `Verified by this page: ${checks.length} checks, all right`
    : "The website has verified the proof; a page can do so for time of use alone. You can, too: meterhub bill verify";
  el("bill-checks").replaceChildren(...checks.map((text) => make("li", text)));
  el("bill-nonce").textContent = said.nonce.match(/.{8}/g).join(" ");
  views(said, rates, house);
  const name = `meterhub-${config.hub}-${new Date(86400000 * house.batches[0].day).toISOString().slice(0, 7)}`;
  save("save-bill", `${name}.bill`, () => join(found.bill, found.proof));
  save("save-batches", `${name}.mhb`, () => packBatches(raw));
  save("save-tariff", `${rates.id}.mht`, () => fromBase64url(config.bill.tariff));
  save("save-keys", `${name}.mhk`, () => found.keys);
}

function views(said, rates, house) {
  const count = house.rows.length.toLocaleString();
  const all = house.rows.reduce((wh, row) => wh + row.imported.wh, 0);
  const fee = money(said.total, rates.round, rates.currency);
  const more = said.gaps ? `${said.gaps.toLocaleString()} are missing` : "none is missing";
  drawViews(el("bill-views"), house, {
    mine: [`${kwh(all)} kWh`, `${count} readings`, more],
    theirs: [fee, `${count} sealed numbers`, more],
    described: `Left: ${count} half-hours as you have them, ${kwh(all)} kWh. Right: the same time as your supplier gets it, `
      + `${count} sealed numbers in which nothing can be seen, and the fee, ${fee}.`,
  });
}

/** Fill the table: what was used at each price, then the amounts of the bill. */
function fillParts(said, rates, work) {
  const amount = (value) => money(value, rates.round, rates.currency);
  const each = (price) => `at ${money(price, rates.priceDigits, rates.currency)}`;
  const rows = [];
  for (const [band, { wh, net }] of (work?.bands ?? []).entries()) {
    if (!wh) continue;
    const price = each(rates.steps[band][0][0]);
    rows.push([rates.names[band], `${kwh(wh)} kWh ${price}`, amount(rates.amount(net, false))]);
  }
  const tax = rates.taxBp ? `with ${(rates.taxBp / 100).toLocaleString()} % tax` : "";
  rows.push(["Energy", tax, amount(said.energy)]);
  rows.push(["Standing charge", `${said.days} days${tax && `, ${tax}`}`, amount(said.standing)]);
  rows.push(["To pay", said.energy + said.standing === said.total ? "" : "rounded once, not by parts", amount(said.total)]);
  const fed = (work?.bands ?? []).reduce((sum, band) => sum + band.fed, 0);
  if (rates.exports) rows.push(["Paid to you", work ? `${kwh(fed)} kWh sent to the grid` : "sent to the grid", amount(said.income)]);
  el("bill-parts").querySelector("tbody").replaceChildren(
    ...rows.map(([name, how, value]) => {
      const row = make("tr", "", [make("th", "", [make("span", name), make("small", how)]), make("td", value)]);
      row.classList.toggle("pay", name === "To pay");
      return row;
    }),
  );
}

function gapWords(said, house) {
  if (!said.gaps) return "Every half-hour was read.";
  const rest = said.unpricedWh ? ` ${kwh(Number(said.unpricedWh))} kWh were used over gaps in which more than one price counted: they have no price here.` : "";
  const whole = house.batches.reduce((count, batch) => count + batch.count, 0);
  return `${said.gaps.toLocaleString()} of ${whole.toLocaleString()} half-hours were not read.${rest}`;
}

function make(tag, text, children = []) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function save(id, name, content) {
  el(id).onclick = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content()], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
}

/** Let a tariff's file be chosen: its text is written into the form. */
export function startTariff() {
  const file = el("tariff-file");
  if (!file) return;
  file.closest(".js").hidden = false;
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (chosen && chosen.size < 8192) el("tariff").value = toBase64url(new Uint8Array(await chosen.arrayBuffer()));
  });
}
