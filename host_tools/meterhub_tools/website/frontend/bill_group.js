// The group that bills are proved in, P-256 by @noble/curves, and what prover and verifier both draw from all that was
// said (meterhub_tools/billing/transcript.py). Only this file looks inside a point; scalars are BigInts, taken modulo N.
// Nothing asks for constant time: the computer that proves is the customer's own.
import { normalizeZ } from "@noble/curves/abstract/curve.js";
import { p256 } from "@noble/curves/nist.js";
import { fromHex, Refused, toHex } from "./bill_codec.js";
import { bytes, join } from "./codec.js";
import { ORDER as N, sha256, toNumber } from "./spake2.js";

const Point = p256.Point;
const INFINITY = new Uint8Array(33); // only ever hashed: nothing that is decoded
const G = Point.fromAffine(Point.BASE.toAffine()); // without the library's table: what it is multiplied by is short
const H = Point.fromHex("03bc3563494ce8294dda95576fcebfc5d95f41f36df97561d02aede89ccbab1e6b"); // crypto/pedersen.py
H.precompute(8);
export const CHALLENGE = 16;
export const SCALAR = 32;
export const mod = (k) => ((k % N) + N) % N;

/** Return the point in 33 bytes; Refused POINT. */
export function decode(raw) {
  try {
    if (raw.length === 33 && (raw[0] === 2 || raw[0] === 3)) return Point.fromBytes(raw);
  } catch {
    // said below
  }
  throw new Refused("POINT");
}

/** Return the 33 bytes of points, zeros for the one at infinity. */
export function encode(points) {
  return normalizeZ(Point, points).map((point) => (point.is0() ? INFINITY : point.toBytes(true)));
}

export const total = (points) => points.reduce((sum, point) => sum.add(point), Point.ZERO);

/** Return k * point. */
export const times = (k, point) => point.multiplyUnsafe(mod(k));

/** Return m * G + r * H. */
export function commit(m, r) {
  const [a, b] = [mod(m), mod(r)];
  return G.multiplyUnsafe(a).add(H.multiplyUnsafe(b));
}

export function fromScalar(k) {
  return fromHex(mod(k).toString(16).padStart(64, "0"));
}

/** Return a challenge: `word` for the kind of part, `context` the bill's SHA-256 in hex, `number` the part's. */
export async function challenge(word, context, number, points) {
  const place = Uint8Array.of(number >>> 24, (number >> 16) & 255, (number >> 8) & 255, number & 255);
  const hash = await sha256(join(bytes(`mhp1 ${word}\0`), fromHex(context), place, ...encode(points)));
  return toNumber(hash.subarray(0, CHALLENGE));
}

/** Return the public point (65 bytes) that made an ECDSA signature and whose SHA-256 begins with `id` (hex), or null. */
export async function signerOf(body, signature, id) {
  const e = toNumber(await sha256(body));
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map(toNumber);
  if (!r || !s || r >= N || s >= N) return null;
  const inverse = Point.Fn.inv(r);
  for (const sign of [2, 3]) {
    let announced; // k * G; that its x is N or more does not happen: the chance is 2^-128
    try {
      announced = Point.fromBytes(join(Uint8Array.of(sign), signature.subarray(0, 32)));
    } catch {
      return null;
    }
    const point = times(inverse * s, announced).add(times(-inverse * e, G));
    if (point.is0()) continue;
    const raw = point.toBytes(false);
    if (toHex((await sha256(raw)).subarray(0, 10)) === id) return raw;
  }
  return null;
}
