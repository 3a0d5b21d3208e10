// Text and byte encodings of MHX 1: base64url, Crockford base32, the PIN's check digit, the packed load profile.
// The firmware's codec/ is the specification; the tests hold this file against it.

export class HubError extends Error {
  /** name: a name of the firmware's errors.py; field: what of the input is at fault. */
  constructor(name, field = "") {
    super(field ? `${name}: ${field}` : name);
    this.name = name;
    this.field = field;
  }
}

const utf8 = new TextEncoder();
export const bytes = (text) => utf8.encode(text);

/** Return the concatenation of byte arrays. */
export function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Return `raw` as base64url without padding (RFC 4648 5). */
export function toBase64url(raw) {
  let text = "";
  for (let i = 0; i < raw.length; i += 4096) text += String.fromCharCode(...raw.subarray(i, i + 4096));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return the bytes of base64url without padding; HubError MALFORMED for anything else, spare bits included. */
export function fromBase64url(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new HubError("MALFORMED", "base64url");
  }
  const raw = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  if (toBase64url(raw) !== text) throw new HubError("MALFORMED", "base64url");
  return raw;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Return Crockford base32 of `raw`, five bytes giving eight characters. */
export function toBase32(raw) {
  let text = "";
  let kept = 0;
  let bits = 0;
  for (const byte of raw) {
    kept = (kept << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += CROCKFORD[(kept >> bits) & 31];
    }
    kept &= (1 << bits) - 1;
  }
  return bits ? text + CROCKFORD[(kept << (5 - bits)) & 31] : text;
}

/** Return whether `digits` ends in its ISO/IEC 7064 MOD 11,10 check digit. */
export function checkDigit(digits) {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (product + Number(digit)) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (product + Number(digits.at(-1))) % 10 === 1;
}

/** Return the nine digits that were typed; HubError MALFORMED or INVALID_VALUE (check digit) when it is no PIN. */
export function cleanPin(typed) {
  const pin = typed.replace(/[\s-]/g, "");
  if (!/^[0-9]{9}$/.test(pin)) throw new HubError("MALFORMED", "pin");
  if (!checkDigit(pin)) throw new HubError("INVALID_VALUE", "pin");
  return pin;
}

// -- the packed load profile: codec/series.py --------------------------------------------------------------------

export const MISSING = 0;
export const MEASURED = 1;
export const OPEN = 4;
export const QUALITY = ["missing", "measured", "partial", "clock unsure", "open", "meter exchanged"];
const ANEW = 128;
const MOST_ENTRIES = 100000;

class Reader {
  constructor(raw) {
    this.raw = raw;
    this.at = 0;
  }

  byte() {
    if (this.at >= this.raw.length) throw new HubError("MALFORMED", "series");
    return this.raw[this.at++];
  }

  /** An unsigned LEB128 number of at most 53 bits (what a JavaScript number holds), in its shortest form. */
  varint() {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (value > Number.MAX_SAFE_INTEGER) throw new HubError("MALFORMED", "series");
      if (byte < 128) {
        if (byte === 0 && unit > 1) throw new HubError("MALFORMED", "series");
        return value;
      }
      unit *= 128;
      if (unit > 2 ** 56) throw new HubError("MALFORMED", "series");
    }
  }

  cells(last) {
    return last.map((before, i) => {
      const cell = this.varint();
      if (cell === 0) return null;
      last[i] = (before ?? 0) + cell - 1;
      return last[i];
    });
  }
}

function readColumn(reader) {
  const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(() => reader.byte());
  const scale = reader.byte();
  const obis = `${a}-${b}:${c}.${d}.${e}` + (f === 255 ? "" : `.${f}`);
  return { obis, scale: scale > 127 ? scale - 256 : scale, unit: reader.byte() };
}

function readRun(reader, state, entries) {
  const kind = reader.byte();
  const count = reader.varint();
  const quality = kind & ~ANEW;
  if (quality >= QUALITY.length || count < 1 || entries.length + count > MOST_ENTRIES) {
    throw new HubError("MALFORMED", "series");
  }
  if (kind & ANEW) state.last.fill(null);
  for (let i = 0; i < count; i++) {
    state.at += state.step || reader.varint();
    const values = quality === MISSING ? state.last.map(() => null) : reader.cells(state.last);
    entries.push({ at: state.at, quality, values });
  }
}

/** Return {columns, start, base, entries} of a chunk; HubError MALFORMED when it is none. */
export function unpackSeries(raw) {
  const reader = new Reader(raw);
  if (reader.byte() !== 1) throw new HubError("MALFORMED", "series");
  const step = reader.varint();
  const width = reader.byte();
  if (width < 1 || width > 8) throw new HubError("MALFORMED", "series");
  const columns = Array.from({ length: width }, () => readColumn(reader));
  const start = reader.varint();
  const state = { step, at: start, last: Array(width).fill(null) };
  const base = reader.cells(state.last);
  const entries = [];
  while (reader.at < raw.length) readRun(reader, state, entries);
  return { columns, start, base, entries };
}
