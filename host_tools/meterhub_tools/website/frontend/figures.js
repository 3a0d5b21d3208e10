// From register readings to what was used in each interval, day or month. Pure; times are Unix seconds, energy is in Wh.
// What was not read stays unknown: an interval counts only when the register was read at both of its ends.
import { MEASURED, MISSING, OPEN, QUALITY } from "./codec.js";

export const NAMES = { "1-0:1.8.0": "Taken from the grid", "1-0:2.8.0": "Sent to the grid" };
const UNITS = { 30: "Wh", 13: "m³" };

/**
 * Return [{from, to, value, reading, quality, early}] for one column; value null where it is not known.
 * early: it is not known because all that there is begins with the reading at its end; nothing was missed.
 */
export function intervals(data, index) {
  const unit = 10 ** data.columns[index].scale;
  let before = { at: data.start, value: data.base[index] };
  return data.entries.map((entry, i) => {
    const value = entry.values[index];
    const known = value !== null && before.value !== null && value >= before.value;
    const reading = value === null ? null : value * unit;
    const used = known ? (value - before.value) * unit : null;
    const early = i === 0 && before.value === null && value !== null;
    const found = { from: before.at, to: entry.at, value: used, reading, quality: entry.quality, early };
    before = { at: entry.at, value };
    return found;
  });
}

const startOf = {
  day: (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()),
  week: (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate() - ((d.getDay() + 6) % 7)),
  month: (d) => new Date(d.getFullYear(), d.getMonth(), 1),
  all: () => null,
};
const step = {
  day: (d, n) => new Date(d.getFullYear(), d.getMonth(), d.getDate() + n),
  week: (d, n) => new Date(d.getFullYear(), d.getMonth(), d.getDate() + 7 * n),
  month: (d, n) => new Date(d.getFullYear(), d.getMonth() + n, 1),
};

/** Return [start, stop] in Unix seconds of the `view` ("day", "week", "month", "all") that holds `at`, moved by n. */
export function windowOf(view, at, n, list) {
  if (view === "all") return [list[0].from, list.at(-1).to];
  const start = step[view](startOf[view](new Date(1000 * at)), n);
  return [start, step[view](start, 1)].map((date) => date.getTime() / 1000);
}

/** Return the bars of a window: half-hours as they are for a day or week, days of a month, months of everything. */
export function bars(list, view, [start, stop]) {
  const inside = list.filter((item) => item.to > start && item.from < stop);
  const size = view === "month" ? "day" : view === "all" ? "month" : null;
  if (!size) return inside.map((item) => ({ ...item, missing: isMissing(item) ? 1 : 0 }));
  const groups = new Map();
  for (const item of inside) {
    const key = startOf[size](new Date(500 * (item.from + item.to))).getTime() / 1000;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return [...groups].map(([from, items]) => together(from, step[size](new Date(1000 * from), 1).getTime() / 1000, items));
}

function together(from, to, items) {
  const known = items.filter((item) => item.value !== null);
  const missing = items.filter(isMissing).length;
  const exact = !missing && known.every((item) => item.quality === MEASURED);
  const value = known.length ? known.reduce((sum, item) => sum + item.value, 0) : null;
  return { from, to, value, missing, reading: items.at(-1).reading, quality: exact ? MEASURED : known.length ? 2 : MISSING };
}

/** Return what the registers say of the whole: {first, last, total, known, missing, changed}; Wh, null when not read. */
export function totals(data, index) {
  const unit = 10 ** data.columns[index].scale;
  const readings = [data.base, ...data.entries.map((entry) => entry.values)].map((values) => values[index]);
  const read = readings.filter((value) => value !== null);
  let total = 0;
  let changed = false;
  read.reduce((a, b) => {
    if (b >= a) total += b - a;
    else changed = true;
    return b;
  });
  const list = intervals(data, index);
  const known = list.reduce((sum, item) => sum + (item.value ?? 0), 0);
  const missing = list.filter(isMissing).length;
  const [first, last] = [read[0], read.at(-1)].map((value) => (value === undefined ? null : value * unit));
  return { first, last, total: total * unit, known, missing, changed };
}

const isMissing = (item) => item.value === null && !item.early;
export const isOpen = (item) => item.quality === OPEN;
export const qualityWord = (item) => (item.value === null ? QUALITY[MISSING] : QUALITY[item.quality]);

/** Return the whole as CSV, as the website's own download has it. */
export function toCsv(data) {
  const names = data.columns.map((column) => `${column.obis} [${UNITS[column.unit]?.replace("³", "3") ?? `unit ${column.unit}`}]`);
  const head = ["interval_end_utc", "quality", ...names.flatMap((name) => [`${name} register`, `${name} interval`])];
  const lists = data.columns.map((_, i) => intervals(data, i));
  const cell = (value, column) => (value === null ? "" : value.toFixed(Math.max(0, -column.scale)));
  const rows = data.entries.map((entry, n) => [
    new Date(1000 * entry.at).toISOString().replace(".000", ""),
    QUALITY[entry.quality],
    ...data.columns.flatMap((column, i) => [cell(lists[i][n].reading, column), cell(lists[i][n].value, column)]),
  ]);
  return [head, ...rows].map((row) => row.join(",") + "\r\n").join("");
}
