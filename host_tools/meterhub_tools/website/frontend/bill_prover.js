// The customer's side in the browser: opens every commitment again from the readings and the day keys, and makes a
// time-of-use bill and its proof. meterhub_tools/billing/prover.py does the same, README.md there says what is proved.
// Nothing of what is here leaves the page; times are Unix seconds, registers a map from a time to [imported, fed in] Wh.
import { Batch, digestOf, fromHex, KIND, LINEAR, MOST_LATE, MOST_WH, NO_TURN, NOTHING } from "./bill_codec.js";
import { packBill, packProof, readKeys, readSignedTariff, Refused } from "./bill_codec.js";
import { CHALLENGE, challenge, commit, encode, fromScalar, mod } from "./bill_group.js";
import { checkTariff, checkTerms } from "./bill_rules.js";
import { bytes, join } from "./codec.js";
import { hmac, ORDER as N, randomScalar, toNumber } from "./spake2.js";
import { readTariff } from "./tariff.js";

const SLICE = 64; // commitments between two breaths of the page
const breathe = () => new Promise((go) => setTimeout(go));

/** Return r of a value (crypto/pedersen.py). */
async function blinding(key, kind, index) {
  const message = new Uint8Array(12);
  message.set(bytes("mhb1 r"));
  message[6] = kind;
  new DataView(message.buffer).setUint32(7, index, true);
  const halves = [0, 1].map((last) => hmac(key, Uint8Array.of(...message.subarray(0, 11), last)));
  return (toNumber(join(...(await Promise.all(halves))).subarray(0, 48)) % (N - 1n)) + 1n;
}

/** What the customer has of some days on end, checked against the batches, whose signatures are not looked at. */
export class House {
  /** told(done, all): how far it is. */
  static async open(batches, keys, registers, told = () => {}) {
    const house = new House(batches.map((raw) => new Batch(raw)), readKeys(keys));
    const all = house.batches.reduce((sum, batch) => sum + batch.points.length, 0);
    house.told = (more) => told((house.done += more), all);
    house.done = 0;
    for (const batch of house.batches) await house.take(batch, registers);
    await house.close();
    return house;
  }

  constructor(batches, { hub, chain, keys }) {
    if (!batches.length) throw new Refused("BATCH_NONE");
    for (const batch of batches) {
      if (batch.hub !== hub || batch.chain !== chain || !keys.has(batch.day)) throw new Refused("KEYS_OTHER");
    }
    const [first, last] = [batches[0], batches.at(-1)];
    Object.assign(this, { batches, keys, hub, chain, stepS: first.stepS, exports: first.exports });
    Object.assign(this, { start: first.first * first.stepS, stop: (last.first + last.count) * first.stepS });
    Object.assign(this, { rows: [], zero: [0n, 0n] }); // zero: what opens the difference between intervals and registers
  }

  /** Return the same of readings alone, without keys, that were checked elsewhere: it can be booked, not proved. */
  static look(batches, registers) {
    const found = batches.map((raw) => new Batch(raw));
    const [{ hub, chain }] = found;
    const house = new House(found, { hub, chain, keys: new Map(found.map(({ day }) => [day, null])) });
    for (const batch of found) house.rows.push(...house.rowsOf(batch, registers).rows);
    return house;
  }

  async take(batch, registers) {
    const { rows, due } = this.rowsOf(batch, registers);
    const blindings = await this.check(batch, due);
    due.forEach(([, kind], at) => (this.zero[fedOf(kind)] += signOf(kind) * blindings[at]));
    for (const row of rows) {
      for (const side of [row.imported, row.exported]) if (side) side.r = blindings[side.at];
      this.rows.push(row);
    }
  }

  /** Return {rows: from one reading to the next, due: [[value, kind, index, commitment], ...]} of a day. */
  rowsOf(batch, registers) {
    const before = (batch.first - Math.min(batch.late, MOST_LATE)) * this.stepS;
    const atStart = registers.get(before) ?? (batch.turn === NO_TURN ? null : [0, 0]);
    if (atStart === null) throw new Refused("READING_MISSING");
    const [rows, due] = [[], []];
    for (const fed of batch.exports ? [0, 1] : [0]) {
      const { values, energies } = walk(batch, registers, valueOf(atStart, fed), before, this.stepS, fed);
      energies.forEach(({ since, end, wh, i }, number) => {
        due.push([wh, fed ? KIND.EXPORT : KIND.IMPORT, batch.first + i, batch.energy(fed)[number]]);
        rows[number] = { start: since, stop: end, ...rows[number], [fed ? "exported" : "imported"]: { wh, at: due.length - 1 } };
      });
      for (const [kind, value] of values) due.push([value, kind + 4 * fed, batch.day, batch.register(kind, fed)]);
    }
    return { rows, due };
  }

  /** Return what blinds each value of a day, after every commitment was made again. */
  async check(batch, due) {
    const key = this.keys.get(batch.day);
    const blindings = await Promise.all(due.map(([, kind, index]) => blinding(key, kind, index)));
    for (let at = 0; at < due.length; at += SLICE) {
      const slice = due.slice(at, at + SLICE);
      const made = encode(slice.map(([value], i) => commit(BigInt(value), blindings[at + i])));
      const same = (raw, i) => raw.every((byte, j) => byte === slice[i][3][j]);
      if (!made.every(same)) throw new Refused("READING");
      this.told(slice.length);
      await breathe();
    }
    return blindings;
  }

  async close() {
    for (const fed of this.exports ? [0, 1] : [0]) {
      for (const [batch, kind, sign] of [[this.batches[0], KIND.START, 1n], [this.batches.at(-1), KIND.END, -1n]]) {
        this.zero[fed] += sign * (await blinding(this.keys.get(batch.day), kind + 4 * fed, batch.day));
      }
    }
  }
}

const fedOf = (kind) => (kind === KIND.EXPORT || kind > KIND.FIRST ? 1 : 0);

/** Return how a blinding counts in the difference between intervals and registers; both ends: House.close(). */
function signOf(kind) {
  const plain = kind > KIND.FIRST ? kind - 4 : kind;
  return { [KIND.IMPORT]: 1n, [KIND.EXPORT]: 1n, [KIND.FIRST]: 1n, [KIND.LAST]: -1n }[plain] ?? 0n;
}

function valueOf(reading, fed) {
  const value = reading?.[fed];
  if (value === undefined || value === null) throw new Refused("READING_MISSING");
  return value;
}

/** Return {values: registers by kind, energies} of one direction of a day. */
function walk(batch, registers, atStart, before, stepS, fed) {
  const values = new Map([[KIND.START, atStart]]);
  const energies = [];
  let [last, since] = [atStart, before];
  for (let i = 0; i < batch.count; i++) {
    const end = (batch.first + i + 1) * stepS;
    if (i === batch.turn) {
      values.set(KIND.LAST, last);
      last = valueOf(registers.get(end), fed);
      values.set(KIND.FIRST, last);
      since = end;
    }
    if (batch.isMissing(i)) continue;
    const wh = valueOf(registers.get(end), fed) - last;
    if (wh < 0 || wh > MOST_WH) throw new Refused("READING_RANGE");
    energies.push({ since, end, wh, i });
    [last, since] = [last + wh, end];
  }
  return { values: values.set(KIND.END, last), energies };
}

// -- bills ---------------------------------------------------------------------------------------------------------

/** Energy booked to the bands of a tariff, as codec/tariff_use.py does; what cannot be told stays apart. */
export class Work {
  constructor(house, rates) {
    if (rates.intervalS % house.stepS) throw new Refused("TARIFF_INTERVAL");
    Object.assign(this, { rates, house, net: sum(), paid: sum(), unpriced: sum(), unpaid: sum(), priced: [] });
    this.bands = rates.names.map(() => ({ wh: 0, net: 0n, fed: 0, paid: 0n }));
    for (const row of house.rows) {
      const [band, single] = [rates.bandAt(row.start), row.stop - row.start === house.stepS];
      this.book(row, band, single);
      if (row.exported && rates.exports) this.pay(row, band, single);
    }
  }

  book({ start, stop, imported }, band, single) {
    if (start < this.house.start || !(single || isPlain(this.rates, start, stop))) return add(this.unpriced, imported, 1n);
    add(this.net, imported, this.rates.charge(band));
    this.priced.push([start, band]);
    this.bands[band].wh += imported.wh;
    this.bands[band].net += BigInt(imported.wh) * this.rates.charge(band);
  }

  pay({ start, exported }, band, single) {
    if (start < this.house.start || !(single || this.rates.exports === 1)) return add(this.unpaid, exported, 1n);
    add(this.paid, exported, this.rates.income(band));
    this.bands[band].fed += exported.wh;
    this.bands[band].paid += BigInt(exported.wh) * this.rates.income(band);
  }
}

const LOOK_S = 691200;
const sum = () => ({ value: 0n, r: 0n, any: false });
const add = (to, { wh, r = 0n }, times) =>
  Object.assign(to, { value: to.value + times * BigInt(wh), r: mod(to.r + times * r), any: true });

/** Return whether one price must have counted for all of a gap. */
function isPlain(rates, start, stop) {
  if (rates.bands === 1) return true;
  if (stop - start > LOOK_S) return false;
  const band = rates.bandAt(start);
  for (let at = start; at < stop; at += rates.intervalS) if (rates.bandAt(at) !== band) return false;
  return rates.bandAt(stop - 1) === band;
}

/**
 * Return {bill, proof, work} over all days of a house, for a nonce (hex) of who is to verify it. work: what was booked
 * where, for the customer alone.
 */
export async function proveBill(house, signedTariff, nonce) {
  const signed = readSignedTariff(signedTariff);
  const rates = readTariff(signed.packed);
  if (rates === null) throw new Refused("TARIFF_FORMAT", "packed");
  checkTerms(rates, signed.at, house.start);
  const tariff = await digestOf(signed.packed);
  if (house.batches.some((batch) => batch.tariff !== NOTHING && batch.tariff !== tariff)) throw new Refused("TARIFF_OTHER");
  const work = new Work(house, rates);
  checkTariff(rates, work.priced);
  const bill = packBill({ ...(await about(house, work)), tariff, nonce });
  return { bill, proof: await proofOf(house, work, bill), work };
}

async function about({ batches, hub, chain, start, stop }, { rates, net, paid, unpriced, unpaid }) {
  const days = rates.midnights(start, stop - 1);
  const digests = await Promise.all(batches.map((batch) => batch.digest()));
  const standing = BigInt(days) * rates.standingNet;
  const missing = batches.reduce((count, batch) => count + batch.count - batch.present.length, 0);
  return {
    ...{ hub, chain, start, stop, batches: batches.length, digest: await digestOf(fromHex(digests.join(""))) },
    ...{ form: LINEAR, bits: 0, days, gaps: missing, unpricedWh: unpriced.value, unpaidWh: unpaid.value },
    ...{ net: net.value, incomeNet: paid.value, energy: rates.amount(net.value), standing: rates.amount(standing) },
    ...{ total: rates.amount(net.value + standing), income: rates.amount(paid.value, false) },
  };
}

async function proofOf(house, work, bill) {
  const shown = house.exports ? [...house.zero] : [house.zero[0]];
  if (work.unpriced.any) shown.push(work.unpriced.r);
  if (house.exports && work.rates.exports) {
    shown.push(work.paid.r);
    if (work.unpaid.any) shown.push(work.unpaid.r);
  }
  shown.push(work.net.r);
  const context = await digestOf(bill);
  return packProof(bill, await Promise.all(shown.map((r, number) => opened(context, number, r))));
}

/** Show that a commitment, less what it is said to be, is r * H. */
async function opened(context, number, r) {
  const k = randomScalar();
  const c = await challenge("opened", context, number, [commit(0n, r), commit(0n, k)]);
  return join(fromScalar(c).subarray(32 - CHALLENGE), fromScalar(k + c * r));
}
