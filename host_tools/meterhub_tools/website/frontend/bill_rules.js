// Which tariffs the customer's side accepts: none by which a fee would be a reading. meterhub_tools/billing/rules.py is
// the specification and says why; prover and verifier both look here.
import { KINDS } from "./tariff.js";
import { Refused } from "./bill_codec.js";

const MOST_PRICES = 6;
const LEAST_INTERVALS = 4;
const LEAST_DAYS = 7;
const MOST_RATIO = 20;

/** Refuse what this page cannot do, and a tariff that was not there before the period began. */
export function checkTerms(rates, signedAt, start) {
  if (rates.kind !== 0) throw new Refused("TARIFF_KIND", KINDS[rates.kind]);
  if (signedAt > start || rates.begins > start) throw new Refused("TARIFF_LATE");
}

/** Refuse a tariff by which a fee over these intervals would show too much. priced: [[start, band], ...] */
export function checkTariff(rates, priced) {
  const days = new Map(); // of each band: how many intervals on which day
  for (const [start, band] of priced) {
    if (!days.has(band)) days.set(band, new Map());
    const day = rates.zone.dayOf(start);
    days.get(band).set(day, (days.get(band).get(day) ?? 0) + 1);
  }
  const bands = [...days.keys()];
  checkPrices(bands.map((band) => rates.steps[band][0][0]));
  if (rates.exports) checkPrices(bands.map((band) => rates.exportPrice(band)));
  if (bands.length > MOST_PRICES) throw new Refused("TARIFF_BANDS", `${bands.length}, at most ${MOST_PRICES}`);
  for (const [band, counts] of days) {
    const enough = [...counts.values()].filter((count) => count >= LEAST_INTERVALS).length;
    if (enough < LEAST_DAYS) throw new Refused("TARIFF_BAND_TIME", `${rates.names[band]}, ${enough} days`);
  }
}

function checkPrices(prices) {
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  if (prices.length && low !== high && low * MOST_RATIO < high) throw new Refused("TARIFF_PRICES", `${low} to ${high}`);
}
