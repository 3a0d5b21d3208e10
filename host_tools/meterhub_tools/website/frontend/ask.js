// The form that asks for readings: presets, the reader's time zone, and how much it will be.

const DAY_MS = 86400000;

const midnight = (text) => new Date(`${text}T00:00`);
const plusDays = (date, days) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + days);
const asInput = (d) => [d.getFullYear(), d.getMonth() + 1, d.getDate()].map((n) => String(n).padStart(2, "0")).join("-");

function presetRange(name, first, last) {
  const today = plusDays(last, 0);
  if (name === "yesterday") return [plusDays(today, -1), plusDays(today, -1)];
  if (name === "week") return [plusDays(today, -7), plusDays(today, -1)];
  if (name === "month") {
    return [new Date(today.getFullYear(), today.getMonth() - 1, 1), new Date(today.getFullYear(), today.getMonth(), 0)];
  }
  return [first, last];
}

/** Return how many whole intervals of resolution `res` lie between two times. */
function howMany(start, stop, res) {
  if (res === "half-hour") return Math.floor((stop - start) / 1800000);
  let found = -1;
  let at = plusDays(start, 0);
  for (; at <= stop; at = res === "day" ? plusDays(at, 1) : new Date(at.getFullYear(), at.getMonth() + 1, 1)) {
    if (at >= start && (res === "day" || at.getDate() === 1)) found += 1;
  }
  return Math.max(found, 0);
}

export function startAsk() {
  const form = document.getElementById("ask");
  if (!form) return;
  const have = [new Date(1000 * form.dataset.from), new Date(1000 * form.dataset.to)];
  const { start, stop, zone } = form.elements;
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const bounds = { min: asInput(have[0]), max: asInput(have[1]) };
  Object.assign(start, bounds);
  Object.assign(stop, bounds);
  const clip = (date) => (date < have[0] ? have[0] : date > have[1] ? have[1] : date);
  const choose = (name) => {
    [start.value, stop.value] = presetRange(name, ...have).map((date) => asInput(clip(date)));
    preview();
  };
  const preview = () => {
    const said = document.getElementById("preview");
    if (!start.value || !stop.value) return (said.textContent = "");
    const from = clip(midnight(start.value));
    const to = clip(plusDays(midnight(stop.value), 1));
    const res = form.elements.res.value;
    const count = howMany(from, to, res);
    const regs = form.querySelectorAll("[name=regs]:checked").length;
    const word = { "half-hour": "half-hours", day: "days", month: "months" }[res];
    said.textContent = count > 0 && regs
      ? `${count.toLocaleString()} ${word}${regs > 1 ? ` of ${regs} registers` : ""}, about ${Math.ceil((count * regs * 3) / 1000)} kB.`
      : "There is nothing to fetch like this.";
  };
  for (const button of form.querySelectorAll("[data-preset]")) {
    button.addEventListener("click", () => choose(button.dataset.preset));
  }
  form.querySelector(".presets").hidden = false;
  form.addEventListener("change", preview);
  if (!globalThis.crypto?.subtle) withoutKeys(form);
  if (start.value) preview();
  else choose(have[1] - have[0] > 8 * DAY_MS ? "week" : "all");
}

/** Without https the browser has no key functions for pages: say so, and leave the choice to the customer. */
function withoutKeys(form) {
  document.getElementById("insecure").hidden = false;
  const hers = form.querySelector("[name=mode][value=private]");
  hers.checked = false;
  hers.disabled = true;
}
