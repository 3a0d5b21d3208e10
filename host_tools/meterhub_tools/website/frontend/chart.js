// The chart, its table and the totals, for readings of either mode.
import uPlot from "uplot";
import { MEASURED } from "./codec.js";
import { bars, intervals, NAMES, qualityWord, toCsv, totals, windowOf } from "./figures.js";

export { toCsv };

const VIEWS = { day: "Day", week: "Week", month: "Month", all: "All" };
const el = (id) => document.getElementById(id);
const kwh = (wh, digits = 2) =>
  wh === null ? "–" : (wh / 1000).toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const format = (options) => new Intl.DateTimeFormat(undefined, options);
const clock = format({ hour: "2-digit", minute: "2-digit" });
const titles = {
  day: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  week: format({ day: "numeric", month: "short", year: "numeric" }),
  month: format({ month: "long", year: "numeric" }),
  all: format({ day: "numeric", month: "short", year: "numeric" }),
};
const dayName = format({ weekday: "short", day: "numeric" });
const monthName = format({ month: "short" });
const dayLong = format({ weekday: "short", day: "numeric", month: "short" });

const without = (missing) => `without ${missing.toLocaleString()} ${missing === 1 ? "interval that was" : "intervals that were"} not read`;

class Figures {
  constructor(data) {
    this.data = data;
    this.column = 0;
    const long = data.entries.length > 1 ? data.entries[1].at - data.entries[0].at : 1800;
    this.views = long <= 7200 ? ["day", "week", "month", "all"] : long < 20 * 86400 ? ["month", "all"] : ["all"];
    const days = (data.entries.at(-1).at - data.start) / 86400;
    this.view = this.views.find((view) => days <= { day: 1, week: 8, month: 32, all: Infinity }[view]) ?? "all";
    this.anchor = data.entries.at(-1).at - 1;
    this.list = intervals(data, 0);
    this.switches();
    el("earlier").onclick = () => this.move(-1);
    el("later").onclick = () => this.move(1);
    new ResizeObserver(() => this.plot && this.resize()).observe(el("plot"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    el("figures").hidden = false;
    this.draw();
  }

  switches() {
    const columns = this.data.columns.map((column) => NAMES[column.obis] ?? column.obis);
    fill(el("columns"), "column", columns, this.column, (i) => {
      this.column = i;
      this.list = intervals(this.data, i);
      this.draw();
    });
    el("columns").hidden = columns.length < 2;
    fill(el("views"), "view", this.views.map((view) => VIEWS[view]), this.views.indexOf(this.view), (i) => {
      this.view = this.views[i];
      this.draw();
    });
    el("views").hidden = this.views.length < 2;
  }

  move(n) {
    const [start] = windowOf(this.view, this.anchor, n, this.list);
    this.anchor = Math.min(Math.max(start, this.data.start), this.data.entries.at(-1).at - 1);
    this.draw();
  }

  draw() {
    this.span = windowOf(this.view, this.anchor, 0, this.list);
    this.bars = bars(this.list, this.view, this.span);
    el("earlier").disabled = this.view === "all" || this.span[0] <= this.data.start;
    el("later").disabled = this.view === "all" || this.span[1] >= this.data.entries.at(-1).at;
    this.words();
    this.chart();
    this.table();
  }

  words() {
    const [from, to] = [this.span[0], this.span[1] - 1].map((at) => titles[this.view].format(new Date(1000 * at)));
    el("span").textContent = ["day", "month"].includes(this.view) ? from : `${from} – ${to}`;
    const known = this.bars.filter((bar) => bar.value !== null);
    const missing = this.bars.reduce((sum, bar) => sum + bar.missing, 0);
    el("sum").textContent = `${kwh(known.length ? known.reduce((sum, bar) => sum + bar.value, 0) : null)} kWh`;
    el("sum-note").textContent = missing ? without(missing) : "";
    const all = totals(this.data, this.column);
    const rows = [
      ["Register at the start", `${kwh(all.first, 3)} kWh`],
      ["Register at the end", `${kwh(all.last, 3)} kWh`],
      [NAMES[this.data.columns[this.column].obis] ?? "Used", `${kwh(all.total, 3)} kWh`],
      ["of it in intervals not read", all.missing ? `${kwh(all.total - all.known, 3)} kWh in ${all.missing.toLocaleString()}` : "none"],
    ];
    if (all.changed) rows.push(["Meter", "was exchanged in this time"]);
    el("totals").replaceChildren(...rows.map(([name, value]) => make("div", "", [make("dt", name), make("dd", value)])));
  }

  // -- the chart: one bar a place, places counted from 0, so that all bars are as wide -----------------------------

  chart() {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(name).trim();
    const places = this.bars.map((_, i) => i);
    const pick = (good) => this.bars.map((bar) => (bar.value !== null && (bar.quality === MEASURED) === good ? bar.value / 1000 : null));
    const paths = uPlot.paths.bars({ size: [this.bars.length > 60 ? 1 : 0.82, 64], radius: this.bars.length > 60 ? 0 : 0.12 });
    const series = (name) => ({ paths, fill: this.colour(name), stroke: this.colour(name), width: 0, points: { show: false } });
    const axis = { stroke: this.colour("--soft"), grid: { stroke: this.colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const top = Math.max(0.1, ...this.bars.map((bar) => (bar.value ?? 0) / 1000));
    this.plot = new uPlot(
      {
        ...this.size(),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: { x: { time: false, range: [-0.6, Math.max(this.bars.length, 1) - 0.4] }, y: { range: [0, top * 1.08] } },
        axes: [
          { ...axis, size: 28, grid: { show: false }, splits: () => this.marks(), values: (_, at) => at.map((i) => this.label(i)) },
          { ...axis, size: 48, label: "kWh", labelSize: 16, labelFont: "12px system-ui", values: (_, at) => at.map((value) => value.toLocaleString()) },
        ],
        series: [{}, series("--bar"), series("--bar-soft")],
        hooks: { drawClear: [(plot) => this.gaps(plot)], setCursor: [(plot) => this.read(plot.cursor.idx)] },
      },
      [places, pick(true), pick(false)],
      el("plot"),
    );
    this.read(null);
  }

  size() {
    const width = Math.max(240, el("plot").clientWidth);
    return { width, height: Math.round(Math.min(340, Math.max(210, width * 0.42))) };
  }

  resize() {
    const { width, height } = this.size();
    if (width !== this.plot.width) this.plot.setSize({ width, height });
  }

  /** Shade where nothing was read, so that a gap cannot be taken for a zero. */
  gaps(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = this.hatch(ctx);
    let first = null;
    [...this.bars, { value: 0 }].forEach((bar, i) => {
      if (bar.value === null) first ??= i;
      else if (first !== null) {
        const [left, right] = [first - 0.5, i - 0.5].map((at) => plot.valToPos(at, "x", true));
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        first = null;
      }
    });
    ctx.restore();
  }

  hatch(ctx) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = this.colour("--gap");
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const at of [-8, 0, 8]) {
      pen.moveTo(at, 8);
      pen.lineTo(at + 8, 0);
    }
    pen.stroke();
    return ctx.createPattern(tile, "repeat");
  }

  marks() {
    const room = Math.max(3, Math.floor(el("plot").clientWidth / 62));
    const first = this.bars.map((bar, i) => [new Date(1000 * bar.from), i]);
    const fits = { day: (d) => d.getMinutes() === 0 && d.getHours() % 3 === 0, week: (d) => d.getHours() + d.getMinutes() === 0 }[this.view];
    let at = (fits ? first.filter(([date]) => fits(date)) : first).map(([, i]) => i);
    while (at.length > room) at = at.filter((_, i) => i % 2 === 0);
    return at;
  }

  label(i) {
    const date = new Date(1000 * (this.bars[i]?.from ?? 0));
    if (this.view === "day") return clock.format(date);
    if (this.view === "week") return dayName.format(date);
    if (this.view === "month") return String(date.getDate());
    return date.getMonth() === 0 ? String(date.getFullYear()) : monthName.format(date);
  }

  name(bar) {
    const [from, to] = [bar.from, bar.to].map((at) => new Date(1000 * at));
    if (this.view === "all") return titles.month.format(from);
    if (this.view === "month") return dayLong.format(from);
    return `${this.view === "week" ? dayLong.format(from) + ", " : ""}${clock.format(from)}–${clock.format(to)}`;
  }

  read(i) {
    const bar = this.bars[i];
    const value = bar && (bar.value === null ? "no reading" : `${kwh(bar.value, 3)} kWh`);
    const some = bar?.value != null && bar.missing ? `, ${bar.missing} ${bar.missing === 1 ? "interval" : "intervals"} not read` : "";
    el("readout").textContent = bar ? `${this.name(bar)}: ${value}${some}` : "Point at the chart to read a value.";
  }

  table() {
    const head = ["When", "kWh", "Register, kWh", "Quality"].map((text) => make("th", text));
    const rows = this.bars.map((bar) => {
      const cells = [this.name(bar), kwh(bar.value, 3), kwh(bar.reading, 3), bar.missing > 1 ? `${bar.missing} missing` : qualityWord(bar)];
      return make("tr", "", cells.map((text, i) => make(i ? "td" : "th", text)));
    });
    document.querySelector("#table thead").replaceChildren(make("tr", "", head));
    document.querySelector("#table tbody").replaceChildren(...rows);
  }
}

function make(tag, text, children = []) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function fill(fieldset, name, labels, chosen, then) {
  const picks = labels.map((text, i) => {
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value: i, checked: i === chosen });
    input.addEventListener("change", () => then(i));
    return make("label", "", [input, make("span", text)]);
  });
  fieldset.replaceChildren(fieldset.firstElementChild, ...picks);
}

/** Draw `data` ({columns, start, base, entries}) into the page's #figures. */
export function showFigures(data) {
  return new Figures(data);
}
