// Three groups of three digits: typing goes on to the next group, pasting fills all, the check digit is looked at
// before anything leaves the page.
import { cleanPin } from "./codec.js";

const MESSAGES = {
  MALFORMED: "A PIN has nine digits.",
  INVALID_VALUE: "That cannot be right: the last digit does not fit the others. No try was used. Look again.",
};
const boxes = () => [1, 2, 3].map((n) => document.getElementById(`pin${n}`));

/** Return the nine digits, or null after having said on the page what is wrong with them. */
export function readPin() {
  const said = document.getElementById("pin-error");
  try {
    const pin = cleanPin(boxes().map((box) => box.value).join(""));
    said.textContent = "";
    return pin;
  } catch (error) {
    said.textContent = MESSAGES[error.name] ?? String(error);
    boxes()[0].focus();
    boxes()[0].select();
    return null;
  }
}

/** Empty the three groups and put the cursor into the first. */
export function clearPin() {
  for (const box of boxes()) box.value = "";
  boxes()[0].focus();
}

function spread(from, text) {
  const all = boxes();
  let digits = text.replace(/\D/g, "");
  for (let i = from; i < all.length; i++) {
    all[i].value = digits.slice(0, 3);
    digits = digits.slice(3);
    if (all[i].value.length < 3) return all[i].focus();
  }
  all[2].focus();
}

/** Make the groups work, if the page has them. */
export function startPin() {
  boxes().forEach((box, i, all) => {
    if (!box) return;
    box.addEventListener("input", () => {
      document.getElementById("pin-error").textContent = "";
      const digits = box.value.replace(/\D/g, "");
      if (digits.length > 3) spread(i, digits);
      else {
        box.value = digits;
        if (digits.length === 3 && all[i + 1]) all[i + 1].focus();
      }
    });
    box.addEventListener("focus", () => box.select());
    box.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && !box.value && all[i - 1]) all[i - 1].focus();
    });
  });
  const form = document.getElementById("pin-form");
  form?.addEventListener("submit", (event) => readPin() === null && event.preventDefault());
  if (form) boxes()[0].focus();
}

/** Write the time left and the tries left under the groups. */
export function showLeft(seconds, left) {
  const whole = Math.max(0, Math.round(seconds));
  const clock = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  for (const place of document.querySelectorAll(".time")) {
    if (place.dataset.step !== "requested") place.textContent = `${clock} left.`;
  }
  for (const place of document.querySelectorAll(".tries")) {
    place.textContent = left ? `${left} ${left === 1 ? "try" : "tries"} left.` : "";
  }
}
