// The demo page: shows what the server pushes over one WebSocket, sends back what is pressed. Nothing is computed here.

const $ = (id) => document.getElementById(id);
const LINES = 200;
const number = new Intl.NumberFormat("en");
let socket;

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// -- the meter ---------------------------------------------------------------------------------------------

function kwh(wh) {
  return `${String(Math.floor(wh / 1000) % 1000000).padStart(6, "0")}.${String(wh % 1000).padStart(3, "0")}`;
}

let lastImport = null;

function showMeter(meter) {
  $("imported").value = kwh(meter.import_wh);
  $("exported").value = kwh(meter.export_wh);
  $("meter-clock").textContent = meter.clock;
  const out = meter.power_w < 0;
  document.querySelector(".casing").classList.toggle("exporting", out);
  $("power").value = `${(Math.abs(meter.power_w) / 1000).toFixed(2)} kW`;
  $("arrow").textContent = out ? "←" : "→";
  $("direction").textContent = out ? "to the grid, from the roof" : "into the house";
  $("gauge").style.width = `${Math.min(100, Math.abs(meter.power_w) / 120)}%`;
  $("tariff").textContent = meter.tariff === 1 ? "T1 low" : "T2 normal";
  $("gas").value = `${(meter.gas_dm3 / 1000).toFixed(3)} m³`;
  showTrace(meter.trace_w);
  if (lastImport !== null && meter.import_wh !== lastImport) flash();
  lastImport = meter.import_wh;
  if (document.activeElement !== $("load")) showLoad(meter.extra_w);
  showSwitches(meter);
}

function showTrace(watts) {
  const top = Math.max(500, ...watts.map(Math.abs));
  const step = 300 / (watts.length - 1);
  const points = watts.map((w, i) => `${(i * step).toFixed(1)},${(58 - (56 * Math.abs(w)) / top).toFixed(1)}`);
  $("trace-line").setAttribute("d", `M${points.join("L")}`);
  $("trace-area").setAttribute("d", `M0,60L${points.join("L")}L300,60Z`);
  $("trace-top").textContent = `top ${(top / 1000).toFixed(1)} kW`;
}

function flash() {
  $("led").classList.add("lit");
  setTimeout(() => $("led").classList.remove("lit"), 120);
}

function showLoad(watts) {
  $("load").value = watts;
  $("load-now").value = `+ ${number.format(watts)} W`;
}

function showSwitches(meter) {
  $("cable").checked = meter.cable;
  $("cable-says").textContent = meter.cable ? "one telegram a second" : "pulled: the hub hears nothing";
  $("hub-power").checked = meter.hub;
  $("power-says").textContent = meter.hub ? "on" : "cut: what was kept stays kept";
  if (!meter.hub) showWan("off");
  const catching = meter.catching_up;
  for (const id of ["load", "cable", "hub-power"]) $(id).disabled = Boolean(catching);
  $("catching-up").hidden = !catching;
  if (catching) {
    $("catch-bar").max = catching.total;
    $("catch-bar").value = catching.done;
    $("catch-says").textContent = `${number.format(catching.done)} of ${number.format(catching.total)} half-hours`;
  }
}

$("load").addEventListener("input", (event) => {
  const watts = Number(event.target.value);
  $("load-now").value = `+ ${number.format(watts)} W`;
  send({ do: "load", watts });
});
$("cable").addEventListener("change", (event) => send({ do: "cable", in: event.target.checked }));
$("hub-power").addEventListener("change", (event) => send({ do: "power", on: event.target.checked }));

// -- the display: 64 rows of 16 bytes, the leftmost pixel in the highest bit --------------------------------------

const canvas = $("display");
const paint = canvas.getContext("2d");

function showDisplay({ rows, contrast }) {
  const bytes = Uint8Array.from(atob(rows), (c) => c.charCodeAt(0));
  const cell = canvas.width / 128;
  const style = getComputedStyle(document.documentElement);
  paint.globalAlpha = 1;
  paint.fillStyle = style.getPropertyValue("--glass");
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.globalAlpha = 0.4 + (0.6 * contrast) / 255;
  paint.fillStyle = style.getPropertyValue("--pixel");
  for (let y = 0; y < 64; y++) {
    for (let x = 0; x < 128; x++) {
      if ((bytes[y * 16 + (x >> 3)] << (x & 7)) & 128) paint.fillRect(x * cell, y * cell, cell * 0.86, cell * 0.86);
    }
  }
}

const SHORTEST_MS = 120; // a tap on a touch pad is over before the hub, which waits for contacts to settle, believes it
const pressedAt = {};

function press(name, down) {
  const button = document.querySelector(`[data-button=${name}]`);
  if (button.classList.contains("down") === down) return;
  const early = down ? 0 : pressedAt[name] + SHORTEST_MS - performance.now();
  if (early > 0) {
    setTimeout(press, early, name, down);
    return;
  }
  pressedAt[name] = performance.now();
  button.classList.toggle("down", down);
  send({ do: "button", name, down });
}

for (const button of document.querySelectorAll("[data-button]")) {
  const name = button.dataset.button;
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    press(name, true);
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) button.addEventListener(end, () => press(name, false));
}

function keyPressed(event, down) {
  const typing = event.target.matches("input:not([type=range], [type=checkbox]), textarea");
  const space = event.target.dataset?.button && (event.key === " " || event.key === "Enter");
  const name = space ? event.target.dataset.button : event.key.toUpperCase();
  if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !["A", "B"].includes(name)) return;
  press(name, down);
}
addEventListener("keydown", (event) => keyPressed(event, true));
addEventListener("keyup", (event) => keyPressed(event, false));

// -- the hub ---------------------------------------------------------------------------------------------------

function showStart({ hub }) {
  $("hub-id").textContent = hub;
}

function showWan(wan) {
  $("wan").textContent = { up: "connected", off: "switched off" }[wan] ?? "no connection";
  $("wan").className = wan === "up" ? "up" : "down";
}

function showStatus(status) {
  const bad = Object.values(status.errors || {}).reduce((a, b) => a + b, 0);
  $("telegrams").textContent = number.format(status.telegrams) + (bad ? ` (${number.format(bad)} bad)` : "");
  $("intervals").textContent = number.format(status.intervals);
  showWan(status.wan);
  $("heap").textContent = `${number.format(Math.round(status.heap / 1024))} KB`;
}

$("hub-id").addEventListener("click", async (event) => {
  await navigator.clipboard?.writeText(event.target.textContent);
  const shown = event.target.textContent;
  event.target.textContent = "copied";
  setTimeout(() => (event.target.textContent = shown), 900);
});

// -- the two logs ------------------------------------------------------------------------------------------------

function line(list, cells) {
  list.querySelector(".empty")?.remove();
  const follow = list.scrollTop + list.clientHeight >= list.scrollHeight - 30;
  const item = document.createElement("li");
  for (const [tag, className, text] of cells) {
    const cell = document.createElement(tag);
    cell.className = className;
    cell.textContent = text;
    item.append(cell);
  }
  list.append(item);
  while (list.children.length > LINES) list.firstChild.remove();
  if (follow) list.scrollTop = list.scrollHeight;
  return item;
}

function clock(at) {
  return at ? new Date(at * 1000).toLocaleTimeString("en-GB") : "--:--:--";
}

function day(at) {
  return new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

// the detail of a consent to an export is recipient|account|what|mode|resolution|from|to
function inWords(detail) {
  const [, , what, mode, res, from, to] = detail.split("|");
  if (!res) return detail.replaceAll("|", " ");
  if (what === "link") return `may ask for every ${res} until ${day(to)}`;
  if (!to) return detail.replaceAll("|", " ");
  return `${what}, ${mode} mode, every ${res}, ${day(from)} to ${day(to)}`;
}

function showJournal({ at, kind, name, detail }) {
  const item = line($("journal-lines"), [["time", "", clock(at)], ["span", `kind ${kind}`, kind], ["span", "cut", name.replaceAll("_", " ").toLowerCase()]]);
  const words = inWords(detail);
  if (words) {
    const more = document.createElement("span");
    more.className = "detail";
    more.textContent = `  ${words}`;
    item.lastChild.append(more);
    item.title = detail;
  }
}

let wireCount = 0;
let wireBytes = 0;

function showWire({ at, topic, kind, size, head }) {
  wireCount += 1;
  wireBytes += size;
  const way = topic.includes("/down/") ? "down" : "up";
  const item = line($("wire-lines"), [["time", "", clock(at)], ["span", "topic cut", `${way === "down" ? "→ hub" : "hub →"} ${kind}`], ["span", "size", `${number.format(size)} B`], ["span", "head cut", head]]);
  item.classList.add(way);
  item.title = `${topic}\n${head}`;
  $("wire-sum").textContent = `${number.format(wireCount)} messages, ${number.format(Math.round(wireBytes / 1024))} KB`;
}

for (const [list, words] of [["journal-lines", "nothing yet"], ["wire-lines", "nothing has left the house"]]) {
  line($(list), [["span", "", words]]).classList.add("empty");
}

// -- what to do next ---------------------------------------------------------------------------------------------

function showSteps(done) {
  let next = true;
  for (const step of ["signup", "link", "agree", "data"]) {
    const item = $(`step-${step}`);
    item.classList.toggle("done", done.includes(step));
    item.classList.toggle("now", next && !done.includes(step));
    if (!done.includes(step)) next = false;
  }
}

// -- the way in --------------------------------------------------------------------------------------------------

function showWebsite({ url }) {
  if ($("frame").src !== url) $("frame").src = url;
  $("website-link").href = url;
}

const SHOW = {
  meter: showMeter, display: showDisplay, start: showStart, status: showStatus, journal: showJournal, wire: showWire,
  steps: ({ done }) => showSteps(done), website: showWebsite,
};

function connect(wait) {
  socket = new WebSocket(`ws://${location.host}/feed`);
  socket.addEventListener("open", () => {
    $("offline").hidden = true;
    for (const list of ["journal-lines", "wire-lines"]) if (wireCount || list === "journal-lines") $(list).replaceChildren();
    wireCount = wireBytes = 0;
    wait = 500;
  });
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    SHOW[event.ev]?.(event);
  });
  socket.addEventListener("close", () => {
    $("offline").hidden = false;
    setTimeout(() => connect(Math.min(wait * 2, 8000)), wait);
  });
}

showSteps([]);
connect(500);
