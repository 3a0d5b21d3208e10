// Answers questions of the tests about bills that the pages' scripts make and verify: one JSON line in, one out. Bytes are
// base64url; amounts are text.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const from = (name) => import(new URL(name, pathToFileURL(`${process.argv[2]}/`)).href);
const { fromBase64url: read, toBase64url: write } = await from("codec.js");
const forms = await from("bill_codec.js");
const { House, proveBill } = await from("bill_prover.js");
const { checkBill, readDays } = await from("bill_verifier.js");
const { signerOf } = await from("bill_group.js");
const { readTariff } = await from("tariff.js");
const { Batch, readKeys, readSignedTariff } = forms;

const plain = (value) => JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one)));
const raws = (list) => list.map(read);
let kept = { of: "", days: null }; // the batches that were read last

async function days(batches, hub) {
  const of = JSON.stringify([batches, hub]);
  if (kept.of !== of) kept = { of, days: await readDays(raws(batches), read(hub)) };
  return kept.days;
}

const answers = {
  prove: async ({ batches, keys, registers, tariff, nonce }) => {
    const house = await House.open(raws(batches), read(keys), new Map(registers.map(([at, ...reading]) => [at, reading])));
    const { bill, proof, work } = await proveBill(house, read(tariff), nonce);
    return { bill: write(bill), proof: write(proof), bands: plain(work.bands) };
  },
  check: async ({ batches, hub, tariff, signer, nonce, bill, proof }) => {
    const found = await checkBill(await days(batches, hub), read(tariff), signer, nonce, read(bill), read(proof));
    return { said: plain(found.said), checked: found.checked };
  },
  batch: ({ raw }) => {
    const batch = new Batch(read(raw));
    return plain({ ...batch, present: batch.present, points: batch.points.map(write), missing: write(batch.map) });
  },
  keys: ({ raw }) => ({ ...readKeys(read(raw)), keys: [...readKeys(read(raw)).keys].map(([day, key]) => [day, write(key)]) }),
  signer: async ({ raw }) => {
    const signed = readSignedTariff(read(raw));
    const key = await signerOf(signed.body, signed.signature, signed.signer);
    return key && write(key);
  },
  bill: ({ raw }) => plain(forms.readBill(read(raw))),
  packed: ({ raw }) => readTariff(read(raw)) !== null,
  file: ({ batches }) => write(forms.packBatches(raws(batches))),
  unfile: ({ raw }) => forms.readBatches(read(raw)).map(write),
  rates: ({ raw, times, nets }) => {
    const rates = readTariff(read(raw));
    return {
      bands: times.map((at) => rates.bandAt(at)),
      offsets: times.map((at) => rates.zone.offsetS(at) || 0),
      midnights: times.map((at) => rates.midnights(at, at + 40 * 86400)),
      amounts: nets.map((net) => [true, false].map((taxed) => `${rates.amount(BigInt(net), taxed)}`)),
      charges: rates.kind ? [] : rates.names.map((_, band) => `${rates.charge(band)}`),
      incomes: rates.names.map((_, band) => `${rates.income(band)}`),
      steps: rates.steps,
      names: [rates.id, ...rates.names],
      begins: rates.begins,
      digits: rates.digits,
      standing: `${rates.standingNet}`,
    };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = { is: await answers[question.do](question) };
  } catch (error) {
    answer = { error: error.name, field: error.detail ?? error.field ?? error.stack };
  }
  console.log(JSON.stringify(answer));
}
