// Answers questions of the tests about what the pages' scripts compute: one JSON line in, one out.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const from = (name) => import(new URL(name, pathToFileURL(`${process.argv[2]}/`)).href);
const codec = await from("codec.js");
const figures = await from("figures.js");
const { hkdf } = await from("spake2.js");

const answers = {
  pin: ({ typed }) => codec.cleanPin(typed),
  base32: ({ raw }) => codec.toBase32(codec.fromBase64url(raw)),
  base64url: ({ text }) => [...codec.fromBase64url(text)],
  unpack: ({ raw }) => codec.unpackSeries(codec.fromBase64url(raw)),
  csv: ({ data }) => figures.toCsv(data),
  intervals: ({ data, column }) => figures.intervals(data, column),
  totals: ({ data, column }) => figures.totals(data, column),
  bars: ({ data, view, at }) => {
    const list = figures.intervals(data, 0);
    return figures.bars(list, view, figures.windowOf(view, at, 0, list));
  },
  hkdf: async ({ ikm, salt, info, length }) => {
    const [a, b, c] = [ikm, salt, info].map(codec.fromBase64url);
    return codec.toBase64url(await hkdf(a, b, c, length));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = { is: await answers[question.do](question) };
  } catch (error) {
    answer = { error: error.name, field: error.field ?? error.stack };
  }
  console.log(JSON.stringify(answer));
}
