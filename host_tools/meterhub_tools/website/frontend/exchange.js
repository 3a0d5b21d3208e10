// The recipient's side of MHX 1 in private mode: the page proves the PIN, receives and checks the readings itself.
// firmware/meterhub/trust/mhx.py is the protocol, meterhub_tools/recipient.py the same for the website's own mode.
// Nothing here reads a clock, a socket or the page: messages go in and come out as text, times are Unix seconds.
//
// A message that is refused throws HubError and changes nothing, so that whoever can publish on the broker cannot end
// an exchange; what the hub itself signed, or a time-out, ends it: state "refused", `error` says why.
import { readKeys, Refused, toHex } from "./bill_codec.js";
import { bytes, cleanPin, fromBase64url, HubError, join, toBase32, toBase64url, unpackSeries } from "./codec.js";
import { decodePoint, hkdf, hmac, ORDER, proveA, randomScalar, sha256, toNumber } from "./spake2.js";

const MAX_MESSAGE = 2048;
const MAX_CHUNK = 16384;
const MAX_CHUNKS = 1024;
const LIFE_S = 600;
const AHEAD = 4; // chunks asked for before the first of them is here
const STALL_S = 4;
const SILENCE_S = 120;
const TRIES = 3;
const OF_A_COPY = ["REPLAY", "BUSY", "RATE_LIMITED"]; // answers to another copy of the request
const subtle = globalThis.crypto.subtle;
const fail = (name, field) => {
  throw new HubError(name, field);
};

// -- bounds, structure, types: what is checked before anything is believed ------------------------------------------

function whole(from, field, low, high) {
  const value = from[field];
  if (!Number.isSafeInteger(value)) fail("MALFORMED", field);
  if (value < low || value > high) fail("INVALID_VALUE", field);
  return value;
}

function text(from, field, longest) {
  const value = from[field];
  if (typeof value !== "string" || value.length < 1 || value.length > longest) fail("MALFORMED", field);
  return value;
}

function binary(from, field, length) {
  const raw = fromBase64url(text(from, field, 2 * length + 2));
  if (raw.length !== length) fail("MALFORMED", field);
  return raw;
}

function object(source, field) {
  let found;
  try {
    found = JSON.parse(source);
  } catch {
    fail("MALFORMED", field);
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) fail("MALFORMED", field);
  return found;
}

const decodeObject = (part, field) => object(new TextDecoder().decode(fromBase64url(part)), field);

function checkHeader(header, alg, field) {
  const foreign = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"].some((name) => name in header);
  if (foreign || header.alg !== alg) fail("MALFORMED", field);
}

/** Return {header, claims} of a compact JWS whose structure is right; its signature is not verified. */
export function jwsClaims(token, limit = MAX_MESSAGE) {
  if (typeof token !== "string") fail("MALFORMED", "jws");
  if (token.length > limit) fail("OVERSIZED", "jws");
  const parts = token.split(".");
  if (parts.length !== 3) fail("MALFORMED", "jws");
  const header = decodeObject(parts[0], "header");
  checkHeader(header, "ES256", "alg");
  return { header, claims: decodeObject(parts[1], "claims") };
}

async function checkSignature(token, point) {
  const at = token.lastIndexOf(".");
  const signature = fromBase64url(token.slice(at + 1));
  const how = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await subtle.importKey("raw", point, how, false, ["verify"]);
  if (!(await subtle.verify(how, key, signature, bytes(token.slice(0, at))))) fail("NOT_AUTHENTIC", "signature");
}

function rangeOf(claims) {
  const have = claims.have;
  const good = Array.isArray(have) && have.length === 2 && have.every(Number.isSafeInteger);
  return good ? have : null;
}

// -- the names MHX 1 gives things -----------------------------------------------------------------------------------

/** Return the id of the hub whose public point (65 bytes) this is. */
export async function hubId(point) {
  return toBase32((await sha256(point)).subarray(0, 10));
}

/** Return the four characters that display and page both show for the request with hash `h`. */
export async function codeOf(h) {
  return toBase32((await sha256(join(bytes("mhx1 code"), h))).subarray(0, 5)).slice(0, 4);
}

async function passwordScalar(pin, h) {
  const w = toNumber(await hkdf(bytes(pin), h, bytes("mhx1 w"), 48)) % ORDER;
  return w || fail("WRONG_PIN", "w");
}

function number32(value) {
  const raw = new Uint8Array(4);
  new DataView(raw.buffer).setUint32(0, value);
  return raw;
}

async function mac(key, word, value) {
  return toBase64url((await hmac(key, join(bytes(word), number32(value)))).subarray(0, 16));
}

async function openJwe(token, cek) {
  const parts = token.split(".");
  if (parts.length !== 5 || parts[1] !== "") fail("MALFORMED", "jwe");
  const header = decodeObject(parts[0], "header");
  checkHeader(header, "dir", "alg");
  if (header.enc !== "A128CBC-HS256") fail("MALFORMED", "enc");
  const [iv, ciphertext, tag] = [parts[2], parts[3], parts[4]].map(fromBase64url);
  if (iv.length !== 16 || tag.length !== 16 || !ciphertext.length || ciphertext.length % 16) fail("MALFORMED", "jwe");
  const aad = bytes(parts[0]);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(8 * aad.length));
  const due = (await hmac(cek.subarray(0, 16), join(aad, iv, ciphertext, length))).subarray(0, 16);
  if (due.reduce((wrong, byte, i) => wrong | (byte ^ tag[i]), 0)) fail("NOT_AUTHENTIC", "tag");
  const key = await subtle.importKey("raw", cek.subarray(16), "AES-CBC", false, ["decrypt"]);
  const plain = await subtle.decrypt({ name: "AES-CBC", iv }, key, ciphertext).catch(() => fail("NOT_AUTHENTIC", "tag"));
  return { header, plain: new Uint8Array(plain) };
}

// -- the receipt ----------------------------------------------------------------------------------------------------

/**
 * Return {columns, start, base, entries} of all chunks, after everything the receipt says of them was checked.
 * keys: the chunks that came after the readings, where keys were asked for.
 */
export async function assemble(request, receipt, chunks, hubKey, keys = []) {
  const { header, claims } = jwsClaims(receipt);
  if (header.typ !== "mhx-receipt") fail("MALFORMED", "typ");
  await checkSignature(receipt, hubKey);
  const wish = jwsClaims(request).claims;
  const h = toBase64url(await sha256(bytes(request)));
  if (claims.h !== h || claims.hub !== (await hubId(hubKey))) fail("WRONG_REQUEST", "h");
  for (const name of ["rid", "regs", "from", "to", "res"]) {
    if (JSON.stringify(claims[name]) !== JSON.stringify(wish[name])) fail("WRONG_REQUEST", name);
  }
  const digests = join(...(await Promise.all([...chunks, ...keys].map(sha256))));
  if (claims.digests !== toBase64url(await sha256(digests))) fail("INTEGRITY_FAILED", "digests");
  const joined = joinChunks(chunks, wish);
  if (claims.entries !== joined.entries.length) fail("INTEGRITY_FAILED", "entries");
  return joined;
}

function joinChunks(chunks, wish) {
  let all = null;
  for (const chunk of chunks.map(unpackSeries)) {
    const same = all === null || JSON.stringify(chunk.columns) === JSON.stringify(all.columns);
    const regs = chunk.columns.map((column) => column.obis);
    if (!same || JSON.stringify(regs) !== JSON.stringify(wish.regs)) fail("INTEGRITY_FAILED", "regs");
    if (all === null) all = chunk;
    else if (chunk.start !== all.entries.at(-1)?.at) fail("INTEGRITY_FAILED", "start");
    else for (const entry of chunk.entries) all.entries.push(entry);
  }
  if (!all?.entries.length || all.start < wish.from || all.entries.at(-1).at > wish.to) fail("INTEGRITY_FAILED", "at");
  all.entries.reduce((before, entry) => (entry.at > before ? entry.at : fail("INTEGRITY_FAILED", "at")), all.start);
  return all;
}

/** Check that a chunk holds the day keys of this hub; HubError MALFORMED. */
async function checkKeys(plain, hubKey) {
  try {
    const { hub } = readKeys(plain);
    if (hub !== toHex((await sha256(hubKey)).subarray(0, 10))) fail("WRONG_HUB", "keys");
  } catch (error) {
    if (error instanceof Refused) fail("MALFORMED", error.detail);
    throw error;
  }
}

// -- the exchange ---------------------------------------------------------------------------------------------------

/**
 * One run, sans I/O. token: the request as the website signed it; hub: the id the customer typed; hubKey: base64url of
 * the hub's public point. open() first; then feed(), enterPin(), cancel(), tick() return the messages to send.
 *
 * state: "requested", "asked" (the display shows who asks), "pin" (a PIN is on the display), "proving", "receiving",
 * "done" (result is there), "refused". left: tries left; deadline: when PIN or request dies; received of chunks.
 */
export class Exchange {
  constructor(token, hub, hubKey) {
    Object.assign(this, { token, hub, hubKey: fromBase64url(hubKey) });
    Object.assign(this, { state: "requested", error: null, have: null, left: null, tried: 0, chunks: 0, received: 0, wanted: 0 });
    Object.assign(this, { result: null, offer: null, keys: null, plain: [], dayKeys: [], heard: 0, askedAt: 0, opened: false });
  }

  /** Check that hub and key belong together and that the request is one for private mode; make hash and code. */
  async open(now) {
    if ((await hubId(this.hubKey)) !== this.hub) fail("WRONG_HUB", "key");
    const { claims } = jwsClaims(this.token);
    if (claims.hub !== this.hub) fail("WRONG_HUB", "hub");
    if (claims.mode !== "private" || claims.what !== "data") fail("INVALID_VALUE", "mode");
    this.claims = claims;
    this.rid = claims.rid;
    this.h = await sha256(bytes(this.token));
    this.code = await codeOf(this.h);
    this.deadline = now + LIFE_S;
    this.opened = true;
  }

  get settled() {
    return this.state === "done" || this.state === "refused";
  }

  /** Take one message of the hub (text of a JSON object); return the messages to send. Throws HubError. */
  async feed(raw, now) {
    if (raw.length > MAX_CHUNK) fail("OVERSIZED", "message");
    const message = object(raw, "message");
    const handler = { asked: "onAsked", offer: "onOffer", ack: "onAck", chunk: "onChunk", end: "onEnd" }[message.t];
    if (!handler) fail("MALFORMED", "t");
    if (message.t !== "chunk" && raw.length > MAX_MESSAGE) fail("OVERSIZED", "message");
    if (this.settled) fail("WRONG_STATE", "t");
    return this[handler](message, now);
  }

  async signed(message) {
    const token = text(message, "jws", MAX_MESSAGE);
    const { header, claims } = jwsClaims(token);
    if (header.typ !== `mhx-${message.t}`) fail("MALFORMED", "typ");
    if (claims.rid !== this.rid || claims.hub !== this.hub) fail("WRONG_REQUEST", "rid");
    if ("h" in claims && claims.h !== toBase64url(this.h)) fail("WRONG_REQUEST", "h");
    await checkSignature(token, this.hubKey);
    return claims;
  }

  async onAsked(message, now) {
    await this.signed(message);
    if (this.state !== "requested") fail("WRONG_STATE", "t");
    this.deadline = now + LIFE_S;
    this.state = "asked";
    return [];
  }

  async onOffer(message, now) {
    const claims = await this.signed(message);
    if (!["requested", "asked", "pin"].includes(this.state)) fail("WRONG_STATE", "t");
    const turn = whole(claims, "try", 1, TRIES);
    if (turn <= this.tried) fail("REPLAY", "try");
    const left = whole(claims, "left", 1, TRIES);
    let deadline = whole(claims, "exp", 0, 2 ** 33);
    // a hub whose clock is not set counts from somewhere else: then its time says nothing here
    if (deadline < this.claims.iat || deadline > now + LIFE_S) deadline = now + LIFE_S;
    if (deadline < now) fail("EXPIRED", "exp");
    const pb = binary(claims, "pb", 65);
    decodePoint(pb);
    this.offer = { pb, token: message.jws };
    Object.assign(this, { tried: turn, left, deadline, state: "pin" });
    return [];
  }

  /** Return the proof of the PIN that was typed; HubError INVALID_VALUE "pin" when its check digit is wrong. */
  async enterPin(typed) {
    if (this.state !== "pin") fail("WRONG_STATE", "pin");
    const pin = cleanPin(typed);
    const w = await passwordScalar(pin, this.h);
    const aad = join(this.h, await sha256(bytes(this.offer.token)));
    const ids = [bytes("mhx1 client"), bytes(`mhx1 hub ${this.hub}`)];
    const proof = await proveA(w, randomScalar(), this.offer.pb, ...ids, aad);
    const out = await hkdf(proof.ke, this.h, bytes("mhx1 cekprivate"), 64);
    this.keys = { cek: out.subarray(0, 32), ck: out.subarray(32), confirm: toBase64url(proof.confirmTheirs) };
    this.state = "proving";
    const [pa, ca] = [proof.share, proof.confirmMine].map(toBase64url);
    this.proving = JSON.stringify({ t: "proof", rid: this.rid, try: this.tried, pa, ca });
    Object.assign(this, { proofDue: 0, proofGap: STALL_S });
    return [this.proving];
  }

  async onAck(message, now) {
    if (message.rid !== this.rid) fail("WRONG_REQUEST", "rid");
    if (this.state !== "proving") fail("WRONG_STATE", "t");
    binary(message, "cb", 32);
    if (message.cb !== this.keys.confirm) fail("NOT_AUTHENTIC", "cb");
    this.chunks = whole(message, "chunks", 1, MAX_CHUNKS);
    this.state = "receiving";
    this.heard = now;
    return this.want(now);
  }

  /** Ask for what is still to come, a few chunks ahead of what is here: the way to the hub and back takes its time. */
  async want(now) {
    this.askedAt = now;
    const wants = [];
    for (; this.wanted < this.received + AHEAD && this.wanted <= this.chunks; this.wanted += 1) {
      const seq = this.wanted;
      wants.push(JSON.stringify({ t: "want", rid: this.rid, seq, mac: await mac(this.keys.ck, "want", seq) }));
    }
    return wants;
  }

  async onChunk(message, now) {
    if (this.state !== "receiving") fail("WRONG_STATE", "t");
    const { header, plain } = await openJwe(text(message, "jwe", MAX_CHUNK), this.keys.cek);
    const seq = whole(header, "seq", 0, this.chunks);
    if (header.rid !== this.rid) fail("WRONG_REQUEST", "rid");
    if (seq !== this.received) fail(seq < this.received ? "REPLAY" : "OUT_OF_ORDER", "seq");
    this.heard = now;
    if (seq === this.chunks) return this.finish(header, plain);
    await this.keep(header.typ, plain);
    this.received += 1;
    return this.want(now);
  }

  /** Keep the plaintext of a chunk: readings first, then, where they were asked for, the keys of their days. */
  async keep(typ, plain) {
    if (typ === "mhx-keys" && this.claims.keys && this.plain.length) {
      await checkKeys(plain, this.hubKey);
      this.dayKeys.push(plain);
    } else if (typ === "mhx-series" && !this.dayKeys.length) {
      unpackSeries(plain);
      this.plain.push(plain);
    } else fail("MALFORMED", "typ");
  }

  async finish(header, plain) {
    if (header.typ !== "mhx-receipt" || !header.last) fail("MALFORMED", "typ");
    const receipt = new TextDecoder().decode(plain);
    try {
      const found = await assemble(this.token, receipt, this.plain, this.hubKey, this.dayKeys);
      const keyDigests = await Promise.all(this.dayKeys.map(sha256));
      this.result = { ...found, receipt, chunks: this.plain, keys: this.dayKeys, keyDigests };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      this.refuse(error.name, error.field); // it came under our key, so it is the hub that contradicts itself
      return [];
    }
    const done = JSON.stringify({ t: "done", rid: this.rid, mac: await mac(this.keys.ck, "done", this.chunks) });
    this.settle("done");
    return [done];
  }

  async onEnd(message) {
    const claims = await this.signed(message);
    const { result, error, left } = claims;
    if (result !== "refused") fail("WRONG_STATE", "result"); // the receipt counts, not the word
    if (OF_A_COPY.includes(error) && this.state !== "requested") fail("WRONG_STATE", "error");
    if (error === "WRONG_PIN") {
      if (this.state !== "proving" || whole(claims, "left", 0, TRIES) >= this.left) fail("WRONG_STATE", "left");
      Object.assign(this, { left, state: "asked" }); // a new offer follows
      return [];
    }
    this.have = rangeOf(claims);
    this.left = Number.isSafeInteger(left) ? left : 0;
    this.refuse(typeof error === "string" ? error : "MALFORMED", claims.field);
    return [];
  }

  /** End it from this side; return the message that tells the hub. */
  cancel() {
    if (this.settled) return [];
    this.refuse("CANCELLED");
    return [JSON.stringify({ t: "cancel", rid: this.rid, h: toBase64url(this.h) })];
  }

  /** Let time pass: repeat what is not answered, end what has died. */
  async tick(now) {
    if (this.settled) return [];
    if (this.state === "receiving") {
      if (now - this.heard > SILENCE_S) this.refuse("NOT_RECEIVED");
      else if (now - this.askedAt >= STALL_S) {
        this.wanted = this.received; // whatever was asked for has been lost
        return this.want(now);
      }
    } else if (now > this.deadline) {
      this.refuse(this.state === "requested" ? "NOT_AVAILABLE" : this.tried ? "PIN_EXPIRED" : "EXPIRED");
    } else if (this.state === "proving") {
      return this.proveAgain(now);
    }
    return [];
  }

  /** Return the proof again when its time has come, more and more seldom: a broker that broke down has lost it. */
  proveAgain(now) {
    const due = this.proofDue;
    if (due && now < due) return [];
    this.proofDue = now + this.proofGap;
    this.proofGap *= 2;
    return due ? [this.proving] : [];
  }

  refuse(name, field) {
    this.error = new HubError(name, typeof field === "string" ? field : "");
    this.settle("refused");
  }

  settle(state) {
    Object.assign(this, { state, keys: null, plain: [], dayKeys: [], offer: null });
  }

  /** Return the proof of a result, as meterhub_tools.proof.verify_proof reads it: readings, and never the keys of days. */
  proof() {
    const { receipt, chunks, keyDigests } = this.result;
    const key = toBase64url(this.hubKey);
    const made = { v: 1, hub: this.hub, key, request: this.token, receipt, chunks: chunks.map(toBase64url) };
    return keyDigests.length ? { ...made, keys: keyDigests.map(toBase64url) } : made;
  }
}
