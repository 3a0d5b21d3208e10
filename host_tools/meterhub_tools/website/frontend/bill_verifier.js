// Anyone's side in the browser: is a time-of-use bill right? From public things alone, as meterhub_tools/billing/verifier.py
// looks; it shares with the prover the encodings, the group and the rules, and nothing else. Refused, each by its name.
import { Batch, digestOf, fromHex, KIND, LINEAR, MOST_LATE, NO_TURN, NOTHING } from "./bill_codec.js";
import { readBill, readProof, readSignedTariff, Refused, toHex } from "./bill_codec.js";
import { CHALLENGE, challenge, commit, decode, SCALAR, signerOf, times, total } from "./bill_group.js";
import { checkTariff, checkTerms } from "./bill_rules.js";
import { ORDER as N, sha256, toNumber } from "./spake2.js";
import { isInCalendar, readTariff } from "./tariff.js";

const PLAIN_S = 691200; // a gap of more than eight days has no price where there is more than one
const subtle = globalThis.crypto.subtle;
const refuse = (name, detail) => {
  throw new Refused(name, detail);
};

async function isSigned(key, body, signature) {
  const how = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const imported = await subtle.importKey("raw", key, how, false, ["verify"]).catch(() => null);
  return imported !== null && subtle.verify(how, imported, signature, body);
}

// -- batches -------------------------------------------------------------------------------------------------------

/** Return some days on end of a hub, whose key (65 bytes) signed them: {rows of commitments, start, stop, digest, ...}. */
export async function readDays(raw, hubKey, told = () => {}) {
  const batches = raw.map((one) => new Batch(one));
  if (!batches.length) refuse("BATCH_NONE");
  for (const batch of batches) await checkSigned(batch, hubKey);
  for (let i = 1; i < batches.length; i++) await checkFollows(batches[0], batches[i - 1], batches[i]);
  const [first, last] = [batches[0], batches.at(-1)];
  const found = { batches, hub: first.hub, chain: first.chain, stepS: first.stepS, exports: first.exports, rows: [] };
  Object.assign(found, { start: first.first * first.stepS, stop: (last.first + last.count) * first.stepS });
  if (!isInCalendar(found.start) || !isInCalendar(found.stop)) refuse("BATCH_FORMAT", "batch.first");
  found.digest = await digestOf(fromHex((await Promise.all(batches.map((batch) => batch.digest()))).join("")));
  let readAt = (first.first - first.late) * first.stepS;
  for (const [number, batch] of batches.entries()) {
    readAt = take(found, batch, readAt);
    told(number + 1, batches.length);
    await new Promise((go) => setTimeout(go));
  }
  found.gaps = batches.reduce((count, batch) => count + batch.count - batch.present.length, 0);
  return found;
}

async function checkSigned(batch, hubKey) {
  const id = toHex((await sha256(hubKey)).subarray(0, 10));
  if (batch.hub !== id) refuse("BATCH_HUB", `day ${batch.day}`);
  const oneForm = toNumber(batch.signature.subarray(32)) <= (N - 1n) / 2n;
  if (!oneForm || !(await isSigned(hubKey, batch.body, batch.signature))) refuse("BATCH_SIGNATURE", `day ${batch.day}`);
}

async function checkFollows(first, before, after) {
  const where = `day ${after.day}`;
  if (after.chain !== first.chain) refuse("BATCH_CHAIN", where);
  if (after.day <= before.day) refuse("BATCH_ORDER", where);
  if (after.day !== before.day + 1) refuse("BATCH_MISSING", where);
  const same = after.stepS === first.stepS && after.exports === first.exports;
  const linked = after.previous === (await before.digest()) && after.first === before.first + before.count;
  if (!same || !linked) refuse("BATCH_LINK", where);
}

/** Read the points of a batch; return when the last reading was. */
function take({ rows, stepS, exports }, batch, readAt) {
  if (batch.late !== Math.min(batch.first - readAt / stepS, MOST_LATE)) refuse("BATCH_LATE", `day ${batch.day}`);
  batch.points.slice(0, batch.registers * (exports ? 2 : 1)).forEach(decode); // of days in the middle, too
  const [imported, exported] = [batch.energy(0).map(decode), exports ? batch.energy(1).map(decode) : null];
  let number = 0;
  for (let i = 0; i < batch.count; i++) {
    const stop = (batch.first + i + 1) * stepS;
    if (i === batch.turn) readAt = stop;
    if (batch.isMissing(i)) continue;
    const points = { imported: imported[number], exported: exported?.[number] ?? null };
    rows.push({ start: readAt, stop, ...points, plain: stop - readAt === stepS });
    readAt = stop;
    number += 1;
  }
  return readAt;
}

/** Return the intervals less the registers' difference: a commitment to 0 where nothing was left out. */
function unexplained({ rows, batches }, fed) {
  const points = rows.map((row) => (fed ? row.exported : row.imported));
  const register = (batch, kind) => decode(batch.register(kind, fed));
  points.push(register(batches[0], KIND.START), register(batches.at(-1), KIND.END).negate());
  for (const batch of batches.filter(({ turn }) => turn !== NO_TURN)) {
    points.push(register(batch, KIND.FIRST), register(batch, KIND.LAST).negate());
  }
  return total(points);
}

// -- proofs --------------------------------------------------------------------------------------------------------

/** A proof that is read and checked part by part. */
class Proof {
  static async of(bill, raw) {
    const { context, rest } = readProof(raw);
    if (context !== (await digestOf(bill))) refuse("PROOF_OTHER");
    return Object.assign(new Proof(), { context, rest, at: 0, number: 0 });
  }

  read(length) {
    if (this.at + length > this.rest.length) refuse("PROOF_FORMAT", "too short");
    this.at += length;
    return toNumber(this.rest.subarray(this.at - length, this.at));
  }

  /** Refuse a commitment that is not to `value`. */
  async opened(commitment, value, refusal) {
    const rest = commitment.add(commit(-value, 0n));
    const [c, z] = [this.read(CHALLENGE), this.read(SCALAR)];
    if (z >= N) refuse("PROOF_FORMAT", "scalar");
    const announced = commit(0n, z).add(times(-c, rest));
    if ((await challenge("opened", this.context, this.number, [rest, announced])) !== c) refuse(refusal);
    this.number += 1;
  }

  end() {
    if (this.at !== this.rest.length) refuse("PROOF_FORMAT", "too long");
  }
}

// -- bills ---------------------------------------------------------------------------------------------------------

/**
 * Return {said: the bill, rates, checked, signer} of a bill that is right in all.
 * days: of readDays(); nonce: hex; signer: the id (hex) of the key that the tariff must be signed by.
 * checked: the names of what was looked at: "batches", "tariff", "about", "registers", "fee", "amounts".
 */
export async function checkBill(days, signedTariff, signer, nonce, bill, proof) {
  const { rates, digest } = await terms(days, signedTariff, signer);
  const said = readBill(bill);
  const sorted = sort(days, rates);
  checkTariff(rates, sorted.starts);
  checkWhat(days, rates, said, digest, nonce);
  checkAmounts(rates, said, sorted);
  await checkProof(days, rates, said, sorted, await Proof.of(bill, proof));
  return { said, rates, checked: ["batches", "tariff", "about", "registers", "fee", "amounts"] };
}

/** Return a tariff that was there before the period, and its digest. */
async function terms(days, signedTariff, signer) {
  const signed = readSignedTariff(signedTariff);
  const rates = readTariff(signed.packed);
  if (rates === null) refuse("TARIFF_FORMAT", "packed");
  const key = signed.signer === signer ? await signerOf(signed.body, signed.signature, signer) : null;
  if (key === null || !(await isSigned(key, signed.body, signed.signature))) refuse("TARIFF_SIGNATURE");
  checkTerms(rates, signed.at, days.start);
  const digest = await digestOf(signed.packed);
  if (days.batches.some(({ tariff }) => tariff !== NOTHING && tariff !== digest)) refuse("TARIFF_OTHER");
  if (rates.intervalS % days.stepS) refuse("TARIFF_INTERVAL");
  return { rates, digest };
}

/** Return the commitments by what they count for: {starts, bands, unpriced, paid, unpaid}. */
function sort(days, rates) {
  const found = { starts: [], bands: new Map(), unpriced: [], paid: new Map(), unpaid: [] };
  const into = (map, band, point) => map.set(band, [...(map.get(band) ?? []), point]);
  for (const row of days.rows) {
    const band = bandOf(row, days, rates);
    if (band === null) found.unpriced.push(row.imported);
    else {
      found.starts.push([row.start, band]);
      into(found.bands, band, row.imported);
    }
    if (!row.exported || !rates.exports) continue;
    const priced = row.start >= days.start && (row.plain || rates.exports === 1);
    if (priced) into(found.paid, rates.bandAt(row.start), row.exported);
    else found.unpaid.push(row.exported);
  }
  return found;
}

/** Return the band in which all of a row must count, null where that is not certain. */
function bandOf(row, days, rates) {
  if (row.start < days.start) return null;
  const band = rates.bandAt(row.start);
  if (row.plain) return band;
  if (rates.bands > 1 && row.stop - row.start > PLAIN_S) return null;
  for (let at = row.start; at < row.stop; at += days.stepS) if (rates.bandAt(at) !== band) return null;
  return band;
}

/** Check what the bill says that it is about. */
function checkWhat(days, rates, said, digest, nonce) {
  for (const [isRight, refusal] of [
    [said.hub === days.hub, "BILL_HUB"],
    [said.chain === days.chain, "BILL_CHAIN"],
    [said.start === days.start && said.stop === days.stop, "BILL_PERIOD"],
    [said.tariff === digest, "BILL_TARIFF"],
    [said.batches === days.batches.length && said.digest === days.digest, "BILL_BATCHES"],
    [said.nonce === nonce, "BILL_NONCE"],
    [said.form === LINEAR, "BILL_FORM"],
    [said.days === rates.midnights(days.start, days.stop - 1), "BILL_DAYS"],
    [said.gaps === days.gaps, "BILL_GAPS"],
  ]) {
    if (!isRight) refuse(refusal);
  }
}

/** Check what follows from the exact amounts. */
function checkAmounts(rates, said, sorted) {
  const standing = BigInt(said.days) * rates.standingNet;
  const due = [rates.amount(said.net), rates.amount(standing), rates.amount(said.net + standing)];
  if (said.energy !== due[0] || said.standing !== due[1] || said.total !== due[2]) refuse("BILL_AMOUNT");
  if (said.income !== rates.amount(said.incomeNet, false)) refuse("BILL_AMOUNT", "income");
  if (!sorted.unpriced.length && said.unpricedWh) refuse("UNPRICED");
  if (!sorted.unpaid.length && said.unpaidWh) refuse("UNPAID");
  if (!sorted.paid.size && said.incomeNet) refuse("INCOME");
}

/** Check that the exact amounts follow from the commitments. */
async function checkProof(days, rates, said, sorted, proof) {
  await proof.opened(unexplained(days, 0), 0n, "REGISTERS");
  if (days.exports) await proof.opened(unexplained(days, 1), 0n, "EXPORT_REGISTERS");
  if (sorted.unpriced.length) await proof.opened(total(sorted.unpriced), said.unpricedWh, "UNPRICED");
  if (days.exports && rates.exports) {
    await proof.opened(weighted(sorted.paid, (band) => rates.income(band)), said.incomeNet, "INCOME");
    if (sorted.unpaid.length) await proof.opened(total(sorted.unpaid), said.unpaidWh, "UNPAID");
  }
  await proof.opened(weighted(sorted.bands, (band) => rates.charge(band)), said.net, "FEE");
  proof.end();
}

const weighted = (bands, price) => total([...bands].map(([band, points]) => times(price(band), total(points))));
