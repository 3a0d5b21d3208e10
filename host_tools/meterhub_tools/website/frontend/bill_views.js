// The two views side by side: what the customer has, a square for each interval, the darker the more was used, and what
// the supplier gets of it, a square for each commitment, shaded by what it is: a number that shows nothing.

const SVG = "http://www.w3.org/2000/svg";
const LEVELS = 6;
const GAP = 14; // between both, and beside them for the dates
const LEFT = 44;
const HEAD = 24;
const FOOT = 74;

function make(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Return for each day {day, cells: [{i, wh, byte}]}; wh null where there is no reading. */
export function cellsOf(house) {
  const used = new Map(); // by the end of an interval
  for (const { start, stop, imported } of house.rows) used.set(stop, (imported.wh * house.stepS) / (stop - start));
  return house.batches.map((batch) => {
    const sealed = batch.energy(0);
    let number = 0;
    const cells = Array.from({ length: batch.count }, (_, i) => {
      if (batch.isMissing(i)) return { i, wh: null, byte: 0 };
      return { i, wh: used.get((batch.first + i + 1) * house.stepS) ?? 0, byte: sealed[number++][32] };
    });
    return { day: batch.day, cells };
  });
}

/** Return the level, 0 .. LEVELS - 1, of a use beside the highest one: what is low stays visible. */
const level = (wh, most) => Math.min(LEVELS - 1, Math.floor(LEVELS * Math.sqrt(wh / (most || 1))));

/** Draw both into `box`. texts: {mine, theirs: [lines of words below], described}. */
export function drawViews(box, house, texts) {
  const days = cellsOf(house);
  const all = days.flatMap(({ cells }) => cells.map(({ wh }) => wh ?? 0)).sort((a, b) => a - b);
  const most = all[Math.floor(0.98 * (all.length - 1))]; // a few that stand out do not make all others pale
  const redraw = () => box.replaceChildren(picture(box.clientWidth || 340, days, most, texts));
  redraw();
  let width = box.clientWidth;
  new ResizeObserver(() => box.clientWidth !== width && ((width = box.clientWidth), redraw())).observe(box);
}

function picture(room, days, most, texts) {
  const width = Math.min(room, 820);
  const columns = Math.max(...days.map(({ cells }) => cells.length));
  const size = [(width - LEFT - GAP) / 2, Math.max(2, Math.min(13, Math.round(380 / days.length)))];
  const cell = [size[0] / columns, size[1]];
  const height = HEAD + days.length * cell[1] + FOOT;
  const found = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": texts.described });
  const panels = [
    ["You have", "mine", LEFT, ({ wh }) => level(wh, most), texts.mine],
    ["Supplier sees", "sealed", LEFT + size[0] + GAP, ({ byte }) => (byte * LEVELS) >> 8, texts.theirs],
  ];
  for (const [title, name, left, shade, words] of panels) {
    found.append(make("text", { x: left, y: 14, class: "title" }, title), ...squares(days, left, cell, name, shade));
    const bottom = HEAD + days.length * cell[1];
    for (const hour of [0, 12, 24]) {
      const anchor = { 0: "start", 12: "middle", 24: "end" }[hour];
      found.append(make("text", { x: left + (size[0] * hour) / 24, y: bottom + 13, class: "small", "text-anchor": anchor }, `${hour}:00`));
    }
    words.forEach((text, i) => {
      const line = { x: left, y: bottom + 34 + 17 * i, class: i ? "small" : "said" };
      found.append(make("text", line, text));
    });
  }
  found.append(...dates(days, cell[1]));
  return found;
}

/** Return a path for each level, and one for what is missing. */
function squares(days, left, [width, height], name, shade) {
  const paths = Array.from({ length: LEVELS + 1 }, () => []);
  const [w, h] = [Math.max(width - 0.4, 0.6), height > 4 ? height - 1 : height - 0.3];
  days.forEach(({ cells }, row) => {
    for (const cell of cells) {
      const at = `M${(left + cell.i * width).toFixed(2)} ${(HEAD + row * height).toFixed(2)}`;
      paths[cell.wh === null ? LEVELS : shade(cell)].push(`${at}h${w.toFixed(2)}v${h.toFixed(2)}h${(-w).toFixed(2)}z`);
    }
  });
  return paths.map((parts, i) => make("path", { d: parts.join(""), class: i === LEVELS ? "missing" : `${name} v${i}` }));
}

/** Return the dates at the left: of the first day and of each Monday that has room. */
function dates(days, height) {
  const format = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
  let free = 0;
  return days.flatMap(({ day }, row) => {
    const y = HEAD + row * height;
    if ((row && (day + 3) % 7) || y < free) return [];
    free = y + 20;
    return [make("text", { x: LEFT - 4, y: y + 9, class: "small", "text-anchor": "end" }, format.format(new Date(86400000 * day)))];
  });
}
