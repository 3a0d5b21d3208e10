// Two machines for holding the emulator's own core against rp2040js's: `fast` has our core, `plain` is stepped by rp2040js.
//
// Where rp2040js sets flags otherwise than the architecture says, the architecture's own words are what counts: correct().

import { pathToFileURL } from 'node:url';

const { RP2040 } = await import(pathToFileURL(`${process.env.METERHUB_RP2040JS}/dist/esm/index.js`));
const { fastCore } = await import(pathToFileURL(`${process.env.METERHUB_EMULATOR}/core.mjs`));
const { Clock } = await import(pathToFileURL(`${process.env.METERHUB_EMULATOR}/clock.mjs`));

console.error = console.warn = () => {};

export const RAM = 0x20000000;
export const CODE = RAM + 0x8000;
export const DATA = 0x4000;
export const DATA_BYTES = 1024;

let state = 1;

export function seed(number) {
  state = number;
}

export function random(below = 2 ** 32) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

export class Refused extends Error {}

function machine(often) {
  const clock = new Clock();
  const mcu = new RP2040(clock);
  const refuse = (part, text) => {
    throw new Refused(`${part} ${text}`);
  };
  mcu.logger = { error: refuse, warn: refuse, info() {}, debug() {} };
  mcu.onBreak = () => refuse('breakpoint', '');
  return { clock, mcu, core: mcu.core, ...fastCore(mcu, clock, () => false, often) };
}

export const fast = machine(Number(process.env.METERHUB_OFTEN)); // translates what it has come to so often
export const plain = machine(Infinity);

const bytesOf = (name) => Number(name.match(/\d+$/)[0]) / 8;

// Only RAM is looked at, and only the data is changed: other memory could not be put back for the next try.
for (const [name, first, bytes] of [
  ...['readUint8', 'readUint16', 'readUint32'].map((name) => [name, RAM, 0x42000]),
  ...['writeUint8', 'writeUint16', 'writeUint32'].map((name) => [name, RAM + DATA, DATA_BYTES]),
]) {
  const { mcu } = plain;
  const access = mcu[name].bind(mcu);
  mcu[name] = (address, value) => {
    if (address >>> 0 < first || address >>> 0 > first + bytes - 4) throw new Refused('elsewhere');
    if (address & (bytesOf(name) - 1)) throw new Refused('not aligned'); // rp2040js does not always mind
    return access(address >>> 0, value);
  };
}

// Values at the edges, pointers into the data, anything.
export function value() {
  switch (random(6)) {
    case 0:
      return [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 31, 32, 33, 128, 255, 256][random(12)];
    case 1:
      return random(64);
    case 2:
    case 3:
      return RAM + DATA + (random(DATA_BYTES - 300) & ~3);
    default:
      return random();
  }
}

// A6.7 of the ARMv6-M manual: results and carries of those instructions whose flags rp2040js computes otherwise.
function shifted(op, x, by, carry) {
  if (by === 0) return [x, carry];
  const wide = BigInt(x);
  const n = BigInt(by);
  if (op === 2) return [Number((wide << n) & 0xffffffffn), Number((wide << n >> 32n) & 1n)];
  if (op === 3) return [Number(wide >> n), Number((wide >> (n - 1n)) & 1n)];
  const signed = BigInt(x | 0);
  if (op === 4) return [Number(BigInt.asUintN(32, signed >> n)), Number((signed >> (n - 1n)) & 1n)];
  const turned = by % 32 === 0 ? x : ((x >>> by % 32) | (x << (32 - (by % 32)))) >>> 0;
  return [turned, turned >>> 31];
}

function added(x, y, carry) {
  const sum = BigInt(x) + BigInt(y) + BigInt(carry);
  const signed = BigInt(x | 0) + BigInt(y | 0) + BigInt(carry);
  const result = Number(sum & 0xffffffffn);
  return [result, sum > 0xffffffffn ? 1 : 0, BigInt(result | 0) !== signed];
}

const EXACT = new Set([2, 3, 4, 5, 6, 7]); // LSLS LSRS ASRS ADCS SBCS RORS, register by register

// Put right what rp2040js has done otherwise than the manual. before: registers and flags as they were.
export function correct(op, before) {
  if (op >>> 10 !== 0x10 || !EXACT.has((op >>> 6) & 15)) return;
  const which = (op >>> 6) & 15;
  const x = before.registers[op & 7];
  const y = before.registers[(op >>> 3) & 7];
  const carry = before.C ? 1 : 0;
  const { core } = plain;
  let result, c;
  if (which === 5 || which === 6) {
    let v;
    [result, c, v] = added(x, which === 5 ? y : ~y >>> 0, carry);
    core.V = v;
  } else [result, c] = shifted(which, x, y & 0xff, carry);
  core.registers[op & 7] = result;
  core.C = c === 1;
  core.Z = result === 0;
  core.N = result >>> 31 === 1;
}

// Give both machines the same registers, flags and data, by chance; return the registers and flags.
export function prepare() {
  const registers = Uint32Array.from({ length: 16 }, value);
  registers[13] = RAM + DATA + 64 + (random(512) & ~3);
  registers[14] = CODE + random(64) * 2 + 1;
  registers[random(13)] = CODE + random(64) * 2 + 1;
  registers[15] = CODE;
  const flags = { N: false, Z: false, C: random(2) === 1, V: random(2) === 1 };
  [() => (flags.N = true), () => (flags.Z = true), () => {}][random(3)]();
  const data = Uint8Array.from({ length: DATA_BYTES }, () => random(256));
  const before = { registers, ...flags, data };
  for (const one of [fast, plain]) restore(one, before);
  return before;
}

export function restore({ mcu, core }, { registers, data, ...flags }) {
  mcu.sram.set(data, DATA);
  core.registers.set(registers);
  Object.assign(core, flags);
  core.waiting = core.interruptsUpdated = core.eventRegistered = false;
}

// Registers, flags and data, as text.
export const look = ({ core, mcu }) =>
  [...core.registers].map((x) => x.toString(16)).join(' ') +
  ` ${core.N ? 'N' : '-'}${core.Z ? 'Z' : '-'}${core.C ? 'C' : '-'}${core.V ? 'V' : '-'} ` +
  Buffer.from(mcu.sram.buffer, DATA, DATA_BYTES).toString('latin1');

// What cannot be compared: exceptions, sleep, special registers, and what the architecture leaves open: a store of the base
// register, a comparison with or a jump to the program counter, an empty list of registers.
export const left = (op) =>
  op >>> 8 === 0xdf ||
  op >>> 9 === 0x5f || // BKPT, hints
  op >>> 8 === 0xde ||
  (op & 0xffe8) === 0xb660 ||
  (op >>> 11 === 0x18 && op & (1 << ((op >>> 8) & 7))) ||
  (op >>> 12 === 0xc && !(op & 0xff)) ||
  (op & 0xf600) === 0xb400 && !(op & 0x1ff) ||
  (op >>> 8 === 0x45 && ((op & 0x87) === 0x87 || (op & 0x78) === 0x78)) ||
  (op >>> 8 === 0x47 && (op & 0x78) === 0x78) ||
  op === 0x47f0; // BLX LR, for which rp2040js overwrites LR too early
