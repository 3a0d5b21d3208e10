// What every page of the site loads; each part looks whether the page has something for it.
import { startAsk } from "./ask.js";
import { startBill, startTariff } from "./bill_page.js";
import { showFigures } from "./chart.js";
import { startPin } from "./pin.js";
import { startPrivate } from "./private.js";
import { startWatch } from "./watch.js";

const IDLE_MS = 15 * 60 * 1000;

function writeTimes() {
  const long = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = (time.classList.contains("day") ? short : long).format(new Date(time.dateTime));
  }
}

/** Log off when nobody has touched the page for as long as a session lives: what it shows goes with it. */
function logOffWhenIdle() {
  const form = document.getElementById("log-out");
  if (!form) return;
  let timer;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), IDLE_MS);
  };
  for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, restart, { passive: true });
  restart();
}

async function loadFigures() {
  const where = document.getElementById("readings");
  if (!where) return;
  const answer = await fetch(where.dataset.url, { headers: { Accept: "application/json" } });
  if (answer.ok) showFigures(await answer.json());
  else location.reload();
}

// a page that comes back from the browser's memory may show what was deleted since
addEventListener("pageshow", (event) => event.persisted && location.reload());
writeTimes();
logOffWhenIdle();
startAsk();
startPin();
startWatch();
startPrivate();
startBill();
startTariff();
loadFigures();
