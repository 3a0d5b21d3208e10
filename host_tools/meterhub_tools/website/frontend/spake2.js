// SPAKE2 (RFC 9382, P256-SHA256-HKDF-HMAC), the side of who types the PIN; points through @noble/curves,
// everything else through WebCrypto.
import { p256 } from "@noble/curves/nist.js";
import { bytes, HubError, join } from "./codec.js";

const Point = p256.Point;
const M = Point.fromHex("02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f"); // RFC 9382 6
const N = Point.fromHex("03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49");
export const ORDER = Point.Fn.ORDER;
const subtle = globalThis.crypto.subtle;

export const sha256 = async (raw) => new Uint8Array(await subtle.digest("SHA-256", raw));

/** Return HMAC-SHA-256 (32 bytes). */
export async function hmac(key, message) {
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, message));
}

/** Return `length` bytes of HKDF-SHA-256 (RFC 5869). */
export async function hkdf(ikm, salt, info, length) {
  const imported = await subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await subtle.deriveBits(how, imported, 8 * length));
}

export const toNumber = (raw) => raw.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

function toBytes32(number) {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * (31 - i))) & 255n));
}

/** Return a random scalar 1..n-1. */
export function randomScalar() {
  return 1n + (toNumber(globalThis.crypto.getRandomValues(new Uint8Array(48))) % (ORDER - 1n));
}

/** Return the point of 65 bytes (SEC1, uncompressed); HubError BAD_POINT when it is not on the curve. */
export function decodePoint(raw) {
  if (raw.length !== 65 || raw[0] !== 4) throw new HubError("BAD_POINT");
  try {
    const point = Point.fromBytes(raw);
    point.assertValidity();
    return point;
  } catch {
    throw new HubError("BAD_POINT");
  }
}

function lengthFirst(part) {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(part.length), true);
  return join(length, part);
}

/** Return {share, ke, confirmMine, confirmTheirs} of role A for password scalar w, own scalar x, the peer's pB. */
export async function proveA(w, x, pb, idA, idB, aad) {
  const peer = decodePoint(pb);
  const share = Point.BASE.multiply(x).add(M.multiply(w)).toBytes(false);
  const inner = peer.subtract(N.multiply(w));
  if (inner.is0()) throw new HubError("BAD_POINT");
  const k = inner.multiply(x).toBytes(false);
  const transcript = join(...[idA, idB, share, pb, k, toBytes32(w)].map(lengthFirst));
  const digest = await sha256(transcript);
  const confirm = await hkdf(digest.subarray(16), new Uint8Array(0), join(bytes("ConfirmationKeys"), aad), 32);
  return {
    share,
    ke: digest.subarray(0, 16),
    confirmMine: await hmac(confirm.subarray(0, 16), transcript),
    confirmTheirs: await hmac(confirm.subarray(16), transcript),
  };
}
