// A tariff at work: which band counts when, and what energy costs by it, exactly. The firmware's codec/tariff.py (the packed
// form), codec/rates.py and codec/timezone.py are the specification; the tests hold this file against them.
// Times are Unix seconds UTC; energies Wh; net amounts are BigInts in units of 10^-digits of the currency.

const DAY_S = 86400;
const MOST_BYTES = 2816;
const MOST = 2000000000;
const LATEST = 4102444800; // 2100
const FAR_S = 7258118400; // 2200: until then there is a calendar
const HEAD_BYTES = 31;
const NO_LIMIT = 0xffffffff;
export const KINDS = ["linear", "block", "steps"];

class Malformed extends Error {}
const need = (isRight) => {
  if (!isRight) throw new Malformed();
};

/** Return the days from 1970-01-01 to a date. */
const days = (year, month, day) => Date.UTC(year, month - 1, day) / 86400000;
const monthDays = (year, month) => days(year, month + 1, 1) - days(year, month, 1);

function dateOf(day) {
  const date = new Date(86400000 * day);
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}

/** Return 0 for Monday ... 6 for Sunday of a day counted from 1970-01-01, which was a Thursday. */
const weekday = (day) => (day + 3) % 7;

// -- local time ----------------------------------------------------------------------------------------------------

/** Local time by a POSIX TZ rule such as "CET-1CEST,M3.5.0,M10.5.0/3". */
export class Zone {
  constructor(rule) {
    const [head, ...dates] = rule.split(",");
    const std = head.match(/^(?:[A-Za-z]{3,}|<[A-Za-z0-9+:-]{3,}>)([0-9+:-]+)(.*)$/);
    need(std !== null);
    this.std = this.dst = -timeOf(std[1], 24);
    if (std[2]) {
      const dst = std[2].match(/^(?:[A-Za-z]{3,}|<[A-Za-z0-9+:-]{3,}>)([0-9+:-]*)$/);
      need(dst !== null);
      this.dst = dst[1] ? -timeOf(dst[1], 24) : this.std + 3600;
    }
    need(dates.length === (std[2] ? 2 : 0));
    this.dates = dates.map(ruleOf);
    this.low = this.high = 0; // the UTC year that start and end are of
  }

  load(utc) {
    const [year] = dateOf(Math.floor(utc / DAY_S));
    [this.low, this.high] = [DAY_S * days(year, 1, 1), DAY_S * days(year + 1, 1, 1)];
    this.start = wall(year, this.dates[0]) - this.std;
    this.end = wall(year, this.dates[1]) - this.dst;
  }

  /** Return the seconds by which local time is ahead of UTC. */
  offsetS(utc) {
    if (!this.dates.length) return this.std;
    if (utc < this.low || utc >= this.high) this.load(utc);
    if (this.start < this.end) return utc >= this.start && utc < this.end ? this.dst : this.std;
    return utc >= this.end && utc < this.start ? this.std : this.dst; // the southern half of the world
  }

  /** Return the local day, counted from 1970. */
  dayOf(utc) {
    return Math.floor((utc + this.offsetS(utc)) / DAY_S);
  }

  isAligned(stepS) {
    return ![this.std, this.dst, ...this.dates.map((date) => date[3])].some((time) => time % stepS);
  }
}

function timeOf(text, mostH) {
  const found = text.match(/^([+-]?)([0-9]+)(?::([0-9]+))?(?::([0-9]+))?$/);
  need(found !== null);
  const [h, m, s] = found.slice(2).map((part) => Number(part ?? 0));
  need(h <= mostH && m <= 59 && s <= 59);
  return (found[1] === "-" ? -1 : 1) * (3600 * h + 60 * m + s) || 0;
}

function ruleOf(text) {
  const found = text.match(/^M([0-9]+)\.([0-9]+)\.([0-9]+)(?:\/(.*))?$/s);
  need(found !== null);
  const [month, week, day] = found.slice(1, 4).map(Number);
  need(month >= 1 && month <= 12 && week >= 1 && week <= 5 && day <= 6);
  return [month, week, day, found[4] === undefined ? 7200 : timeOf(found[4], 167)];
}

function wall(year, [month, week, day, time]) {
  const first = days(year, month, 1);
  let at = ((day + 6 - weekday(first)) % 7) + 7 * (week - 1); // POSIX counts from Sunday
  if (at >= monthDays(year, month)) at -= 7; // week 5 is the last one that the month has
  return (first + at) * DAY_S + time;
}

// -- the packed form -----------------------------------------------------------------------------------------------

/** Takes numbers off bytes, one after the other. */
class Reader {
  constructor(raw) {
    Object.assign(this, { raw, at: 0, data: new DataView(raw.buffer, raw.byteOffset, raw.byteLength) });
  }

  take(size) {
    need(this.at + size <= this.raw.length);
    this.at += size;
    return this.at - size;
  }

  u8 = (high = 255, low = 0) => bounded(this.raw[this.take(1)], low, high);
  u16 = (high = 65535) => bounded(this.data.getUint16(this.take(2), true), 0, high);
  u32 = (high = NO_LIMIT) => bounded(this.data.getUint32(this.take(4), true), 0, high);
  price = () => bounded(this.data.getInt32(this.take(4), true), -MOST, MOST);
  list = (count, one) => Array.from({ length: count }, (_, i) => one(i));

  text(low, high) {
    const from = this.take(this.u8(high, low));
    const found = String.fromCharCode(...this.raw.subarray(from, this.at));
    need(/^[ -~]*$/.test(found) && found === found.trim());
    return found;
  }
}

function bounded(value, low, high) {
  need(value >= low && value <= high);
  return value;
}

/** Check a billing calendar: [period, day, month]. */
function checkCalendar([period, day, month]) {
  need(period <= 5 && (period ? day >= 1 && day <= (period === 1 ? 7 : 28) : day === 0));
  need(period > 2 ? month >= 1 && month <= 12 : month === 0);
}

function readDate(reader, year) {
  const month = reader.u8(12, 1);
  return [month, reader.u8(monthDays(year, month), 1)];
}

function readHead(reader) {
  need(reader.u8() === 1);
  const head = { kind: reader.u8(2), intervalS: 900 * reader.u8(4, 1), priceDigits: reader.u8(8), round: reader.u8(5) };
  need(head.intervalS !== 2700);
  Object.assign(head, { taxBp: reader.u16(10000), standingDigits: reader.u8(8), standing: reader.u32(MOST) });
  head.currency = String.fromCharCode(...reader.list(3, () => reader.u8(90, 65)));
  checkCalendar(reader.list(3, () => reader.u8()));
  const blocks = reader.list(3, () => reader.u8());
  if (head.kind === 1) checkCalendar(blocks);
  else need(!blocks.some(Boolean));
  head.begins = reader.u32(LATEST);
  need(head.begins % head.intervalS === 0);
  return head;
}

function readSpecial(reader, dayCount) {
  const year = reader.u16();
  need(!year || (year >= 2020 && year <= 2099));
  const [month, day] = readDate(reader, year || 2024);
  return { year, month, day, profile: reader.u8(dayCount - 1) };
}

/** Return the bands' switches of each day profile: [[minute, band], ...]. */
function readProfiles(reader, count, bands, intervalS) {
  const places = reader.list(count + 1, () => reader.u16());
  need(places[0] === 0);
  return places.slice(1).map((stop, i) => {
    need(stop - places[i] > 0 && stop - places[i] <= 48);
    let low = -1;
    return reader.list(stop - places[i], (j) => {
      const number = reader.u16();
      const [minute, band] = [15 * (number >> 6), number & 63];
      need((j ? minute <= 1439 : minute === 0) && minute > low && (60 * minute) % intervalS === 0 && band < bands);
      low = minute;
      return [minute, band];
    });
  });
}

/** Return [[price, up to how many Wh], ...] of a band, 0 for the last: it counts beyond. */
function readBand(reader, kind) {
  if (!kind) return [[reader.price(), 0]];
  const prices = reader.list(4, reader.price);
  const limits = reader.list(3, () => reader.u32());
  const count = limits.filter((limit) => limit !== NO_LIMIT).length;
  limits.slice(0, count).forEach((limit, i) => need(limit > (i ? limits[i - 1] : 0) && limit <= MOST));
  need(prices.slice(count).every((price) => price === prices[count]));
  return prices.slice(0, count + 1).map((price, i) => [price, i < count ? limits[i] : 0]);
}

function rising(list) {
  list.forEach((value, i) => need(!i || value > list[i - 1]));
}

/** Return what is in a packed tariff; null for bytes that codec/tariff.py would not have made. */
export function readTariff(raw) {
  try {
    return new Rates(raw);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** A tariff. */
class Rates {
  constructor(raw) {
    need(raw.length <= MOST_BYTES);
    const reader = new Reader(raw);
    Object.assign(this, readHead(reader));
    this.bands = reader.u8(this.kind ? 8 : 48, 1);
    this.exports = reader.u8(48);
    need([0, 1, this.bands].includes(this.exports));
    const [seasons, weeks, dayCount, special] = [[4, 1], [4, 1], [16, 1], [50, 0]].map((range) => reader.u8(...range));
    this.seasons = reader.list(seasons, () => [...readDate(reader, 2024), reader.u8(weeks - 1)]);
    rising(this.seasons.map(([month, day]) => 32 * month + day));
    this.weeks = reader.list(weeks, () => reader.list(7, () => reader.u8(dayCount - 1)));
    this.special = reader.list(special, () => readSpecial(reader, dayCount));
    need(new Set(this.special.map((one) => `${one.year} ${one.month} ${one.day}`)).size === special);
    this.profiles = readProfiles(reader, dayCount, this.bands, this.intervalS);
    this.steps = reader.list(this.bands, () => readBand(reader, this.kind));
    this.exportPrices = reader.list(this.exports, reader.price);
    this.id = reader.text(1, 32);
    need(!this.id.includes(" "));
    this.zone = new Zone(reader.text(3, 64));
    need(this.zone.isAligned(this.intervalS));
    this.names = reader.list(this.bands, () => reader.text(1, 8));
    need(reader.at === raw.length);
    this.digits = Math.max(3 + this.priceDigits, this.standingDigits);
    this.factor = 10n ** BigInt(this.digits - 3 - this.priceDigits);
    this.standingNet = BigInt(this.standing) * 10n ** BigInt(this.digits - this.standingDigits); // for a day
    this.looked = { day: -1, profile: 0 };
  }

  /** Return the number of the band of the interval that a time lies in. */
  bandAt(utc) {
    const start = utc - (utc % this.intervalS);
    const local = start + this.zone.offsetS(start);
    const day = Math.floor(local / DAY_S);
    if (day !== this.looked.day) this.looked = { day, profile: this.profileOf(day) };
    const minute = (local - DAY_S * day) / 60;
    return this.profiles[this.looked.profile].findLast(([from]) => from <= minute)[1];
  }

  profileOf(day) {
    const [year, month, ofMonth] = dateOf(day);
    const meant = this.special.filter((one) => one.month === month && one.day === ofMonth);
    const one = meant.find((special) => special.year === year) ?? meant.find((special) => !special.year);
    if (one) return one.profile;
    const season = this.seasons.findLast(([m, d]) => 32 * m + d <= 32 * month + ofMonth) ?? this.seasons.at(-1);
    return this.weeks[season[2]][weekday(day)];
  }

  /** Return the net amount of a Wh in a band of a linear tariff. */
  charge(band) {
    return BigInt(this.steps[band][0][0]) * this.factor;
  }

  exportPrice(band) {
    return this.exportPrices[this.exports > 1 ? band : 0] ?? 0;
  }

  /** Return the net amount that is paid for a Wh fed in. */
  income(band) {
    return BigInt(this.exportPrice(band)) * this.factor;
  }

  /** Return a net amount with tax, rounded half away from zero: the one place where anything is rounded. */
  amount(net, taxed = true) {
    const gross = net * BigInt(10000 + (taxed ? this.taxBp : 0));
    const unit = 10n ** BigInt(this.digits + 4 - this.round);
    return gross < 0n ? -((-gross + unit / 2n) / unit) : (gross + unit / 2n) / unit;
  }

  /** Return how many local days begin from `start` to `stop`, both included. */
  midnights(start, stop) {
    return stop < start ? 0 : this.zone.dayOf(stop) - this.zone.dayOf(start - 1);
  }
}

export const isInCalendar = (utc) => utc >= 0 && utc < FAR_S;
