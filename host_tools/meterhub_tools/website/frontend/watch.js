// The waiting pages of the website's own exchanges: ask how it stands, load the page anew when that changes.
import { showLeft } from "./pin.js";

const WORDS = {
  requested: "Waiting for the hub …",
  asked: "Waiting for you to press B on the display …",
};

export function startWatch() {
  const watch = document.getElementById("watch");
  if (!watch) return;
  let latest = null;
  setInterval(() => latest && showLeft(latest.deadline - Date.now() / 1000, latest.left), 500);
  follow(watch, (status) => (latest = status));
}

async function follow(watch, note) {
  let version = "";
  for (;;) {
    const answer = await fetch(`${watch.dataset.url}?seen=${version}`).catch(() => null);
    if (!answer) {
      await new Promise((wake) => setTimeout(wake, 2000));
      continue;
    }
    if (!answer.ok || answer.redirected) return location.reload();
    const status = await answer.json();
    if (status.state !== watch.dataset.state || String(status.left ?? "") !== watch.dataset.left) {
      return location.reload();
    }
    version = status.version;
    note(status);
    const progress = document.getElementById("progress");
    if (progress) Object.assign(progress, { max: status.chunks || 1, value: status.received });
    const said = document.querySelector("[data-step=requested]");
    if (said) said.textContent = WORDS[status.state] ?? "";
  }
}
