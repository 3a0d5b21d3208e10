// The bytes of private billing: batches, day keys, the signed tariff, bill and proof. The firmware's codec/billing.py and
// codec/bill.py are the specification; the tests hold this file against them. Times are Unix seconds, ids are hex.
import { bytes, join } from "./codec.js";

/** Why a batch, tariff, bill or proof is refused: `name` of meterhub_tools/billing/refusals.py. */
export class Refused extends Error {
  constructor(name, detail = "") {
    super(detail ? `${name}: ${detail}` : name);
    Object.assign(this, { name, detail });
  }
}

export const NO_TURN = 255;
export const KIND = { IMPORT: 0, EXPORT: 1, START: 2, END: 3, LAST: 4, FIRST: 5 };
export const LINEAR = 0;
export const NOTHING = "00".repeat(32);
export const MOST_LATE = 65535; // so many missing intervals, or more
export const MOST_WH = 0xfffff;
const POINT = 33;
const SIGNATURE = 64;
const BATCH_HEAD = 108;
const KEYS_HEAD = 36;
const TARIFF_HEAD = 20;
const BILL_HEAD = 144;
const TOTALS_AT = 240;
const MOST_TARIFF = 2816;
const DAY_S = 86400;
const FAR_S = 54000;
const LAST_DAY = 84006;
const subtle = globalThis.crypto.subtle;

export const toHex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
export const digestOf = async (raw) => toHex(new Uint8Array(await subtle.digest("SHA-256", raw)));
const view = (raw) => new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
const begins = (raw, magic) => bytes(magic).every((byte, i) => raw[i] === byte);

// -- batches -------------------------------------------------------------------------------------------------------

/** A batch as it came, with its signature, which is not verified here. */
export class Batch {
  constructor(raw) {
    const need = (isRight, field = "batch") => {
      if (!isRight) throw new Refused("BATCH_FORMAT", field);
    };
    const size = raw.length - SIGNATURE;
    need(size >= BATCH_HEAD + 1);
    const data = view(raw);
    const hex = (from, to) => toHex(raw.subarray(from, to));
    Object.assign(this, { hub: hex(4, 14), chain: hex(14, 30), day: data.getUint32(30, true) });
    Object.assign(this, { first: data.getUint32(36, true), count: raw[40], turn: raw[41], late: data.getUint16(42, true) });
    Object.assign(this, { previous: hex(44, 76), tariff: hex(76, 108), exports: raw[35] === 1, stepS: 900 * raw[34] });
    need(begins(raw, "mhb1"), "batch.version");
    need(this.day > 0 && this.day < LAST_DAY, "batch.day");
    need([1, 2, 4].includes(raw[34]), "batch.interval_s");
    need(raw[35] < 2, "batch.exports");
    need(this.count > 0 && this.count <= 100, "batch.count");
    need(Math.abs(this.first * this.stepS - this.day * DAY_S) <= FAR_S, "batch.first");
    const mapped = (this.count + 7) >> 3;
    this.map = raw.subarray(BATCH_HEAD, BATCH_HEAD + mapped);
    const spare = 8 * mapped - this.count;
    need(!spare || (BATCH_HEAD + mapped <= raw.length && this.map.at(-1) >> (8 - spare) === 0), "batch.missing");
    need(this.turn === NO_TURN || (this.turn < this.count && this.isMissing(this.turn)), "batch.turn");
    this.present = Array.from({ length: this.count }, (_, i) => i).filter((i) => !this.isMissing(i));
    this.registers = this.turn === NO_TURN ? 2 : 4;
    const points = (this.exports ? 2 : 1) * (this.registers + this.present.length);
    need(size === BATCH_HEAD + mapped + POINT * points);
    this.points = Array.from({ length: points }, (_, i) => raw.slice(size - POINT * (points - i), size - POINT * (points - i - 1)));
    need(this.points.every((point) => point[0] === 2 || point[0] === 3), "batch.points");
    Object.assign(this, { raw, body: raw.slice(0, size), signature: raw.slice(size) });
  }

  /** Return whether interval i, counted from 0, has no reading at its end. */
  isMissing(i) {
    return ((this.map[i >> 3] >> (i & 7)) & 1) === 1;
  }

  digest() {
    return digestOf(this.body);
  }

  /** Return the commitment to a register: START, END, and with a turn LAST, FIRST. */
  register(kind, fed) {
    return this.points[kind - KIND.START + (fed ? this.registers : 0)];
  }

  /** Return the commitments to the energy of the intervals of `present`. */
  energy(fed) {
    const at = this.registers * (this.exports ? 2 : 1) + (fed ? this.present.length : 0);
    return this.points.slice(at, at + this.present.length);
  }
}

/** Return the day keys: {hub, chain, keys: a map from day to key}. */
export function readKeys(raw) {
  const need = (isRight, field) => {
    if (!isRight) throw new Refused("KEYS_FORMAT", field);
  };
  need(raw.length >= KEYS_HEAD, "keys");
  need(begins(raw, "mhk1"), "keys.version");
  const [first, count] = [view(raw).getUint32(30, true), view(raw).getUint16(34, true)];
  need(count > 0 && count <= 800 && raw.length === KEYS_HEAD + 32 * count, "keys.count");
  const keys = new Map();
  for (let i = 0; i < count; i++) keys.set(first + i, raw.slice(KEYS_HEAD + 32 * i, KEYS_HEAD + 32 * i + 32));
  return { hub: toHex(raw.subarray(4, 14)), chain: toHex(raw.subarray(14, 30)), keys };
}

/** Return day keys as one: those of days on end of one chain, that came one after the other. */
export function joinKeys(raws) {
  if (!raws.length) throw new Refused("KEYS_OTHER");
  const parts = raws.map((raw) => ({ ...readKeys(raw), raw }));
  const days = parts.flatMap(({ keys }) => [...keys.keys()]);
  const same = parts.every(({ hub, chain }) => hub === parts[0].hub && chain === parts[0].chain);
  if (!same || days.length > 800 || days.some((day, i) => day !== days[0] + i)) throw new Refused("KEYS_OTHER");
  const head = raws[0].slice(0, KEYS_HEAD);
  view(head).setUint16(34, days.length, true);
  return join(head, ...raws.map((raw) => raw.subarray(KEYS_HEAD)));
}

// -- the signed tariff ---------------------------------------------------------------------------------------------

/** Return {at, signer, packed, body, signature}; neither signature nor packed tariff are looked at here. */
export function readSignedTariff(raw) {
  const need = (isRight, field) => {
    if (!isRight) throw new Refused("TARIFF_FORMAT", field);
  };
  const size = raw.length - SIGNATURE;
  need(size >= TARIFF_HEAD, "tariff");
  need(begins(raw, "mht1"), "tariff.version");
  const length = view(raw).getUint16(18, true);
  need(length <= MOST_TARIFF && size === TARIFF_HEAD + length, "tariff.length");
  const parts = { signer: toHex(raw.subarray(8, 18)), packed: raw.slice(TARIFF_HEAD, size), body: raw.slice(0, size) };
  return { at: view(raw).getUint32(4, true), ...parts, signature: raw.slice(size) };
}

// -- bills ---------------------------------------------------------------------------------------------------------

const AMOUNTS = ["net", "incomeNet", "energy", "standing", "total", "income"];
const NUMBERS = [["start", 30], ["stop", 34], ["gaps", 124]]; // u32
const IDS = [["hub", 4, 14], ["chain", 14, 30], ["tariff", 38, 70], ["digest", 72, 104], ["nonce", 104, 120]];

/** Return the bytes of a bill without totals of blocks. Amounts and unpricedWh, unpaidWh are BigInts. */
export function packBill(bill) {
  const raw = new Uint8Array(TOTALS_AT + 2);
  const data = view(raw);
  raw.set(bytes("mhi1"));
  for (const [name, at] of IDS) raw.set(fromHex(bill[name]), at);
  for (const [name, at] of NUMBERS) data.setUint32(at, bill[name], true);
  data.setUint16(70, bill.batches, true);
  raw.set([bill.form, bill.bits], 120);
  data.setUint16(122, bill.days, true);
  data.setBigUint64(128, bill.unpricedWh, true);
  data.setBigUint64(136, bill.unpaidWh, true);
  AMOUNTS.forEach((name, i) => {
    data.setBigUint64(BILL_HEAD + 16 * i, BigInt.asUintN(64, bill[name]), true);
    data.setBigInt64(BILL_HEAD + 16 * i + 8, bill[name] >> 64n, true);
  });
  return raw;
}

/** Return the bill in some bytes. */
export function readBill(raw) {
  const need = (isRight, field) => {
    if (!isRight) throw new Refused("BILL_FORMAT", field);
  };
  need(raw.length >= TOTALS_AT + 2, "bill");
  need(begins(raw, "mhi1"), "bill.version");
  const data = view(raw);
  const bill = { form: raw[120], bits: raw[121], batches: data.getUint16(70, true), days: data.getUint16(122, true) };
  need(bill.form <= 3, "bill.form");
  need(bill.form >= 2 ? bill.bits >= 8 && bill.bits <= 40 : bill.bits === 0, "bill.bits");
  for (const [name, from, to] of IDS) bill[name] = toHex(raw.subarray(from, to));
  for (const [name, at] of NUMBERS) bill[name] = data.getUint32(at, true);
  Object.assign(bill, { unpricedWh: data.getBigUint64(128, true), unpaidWh: data.getBigUint64(136, true) });
  AMOUNTS.forEach((name, i) => {
    const at = BILL_HEAD + 16 * i;
    bill[name] = (data.getBigInt64(at + 8, true) << 64n) | data.getBigUint64(at, true);
  });
  const count = data.getUint16(TOTALS_AT, true);
  need(raw.length === TOTALS_AT + 2 + 8 * count && (!count || bill.form === 1), "bill.totals");
  bill.totals = Array.from({ length: count }, (_, i) => data.getBigUint64(TOTALS_AT + 2 + 8 * i, true));
  return bill;
}

/** Return the proof of a bill (its bytes) from its parts. */
export async function packProof(bill, parts) {
  return join(bytes("mhp1"), fromHex(await digestOf(bill)), ...parts);
}

/** Return {context: SHA-256 of the bill in hex, rest: all parts} of a proof. */
export function readProof(raw) {
  if (raw.length < 36) throw new Refused("PROOF_FORMAT", "proof");
  if (!begins(raw, "mhp1")) throw new Refused("PROOF_FORMAT", "proof.version");
  return { context: toHex(raw.subarray(4, 36)), rest: raw.subarray(36) };
}

// -- files: as meterhub_tools/billing/files.py has them ------------------------------------------------------------

/** Return a file of batches: u16 length, little endian, before each. */
export function packBatches(batches) {
  return join(...batches.flatMap((raw) => [Uint8Array.of(raw.length & 255, raw.length >> 8), raw]));
}

/** Return the batches in a file, as bytes each. */
export function readBatches(raw) {
  const found = [];
  for (let at = 0; at < raw.length; ) {
    const length = raw[at] | (raw[at + 1] << 8);
    if (at + 2 + length > raw.length || at + 1 >= raw.length) throw new Refused("BATCH_FORMAT", "file");
    found.push(raw.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}
