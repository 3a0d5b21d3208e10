// Holds translated blocks against rp2040js, instruction by instruction: random programs of up to a dozen instructions
// among many that do nothing, and what becomes of a block whose instructions are written over.
//
//   node blocks_check.mjs PROGRAMS SEED    prints {"compared", "translated", "different": [what, ...]}

import { pathToFileURL } from 'node:url';
import { CODE, RAM, Refused, correct, fast, left, look, plain, prepare, random, restore, seed } from './core_machines.mjs';

const { placeOf } = await import(pathToFileURL(`${process.env.METERHUB_EMULATOR}/blocks.mjs`));
const [programs, number] = process.argv.slice(2).map(Number);
seed(number);

const NOP = 0xbf00;
const AROUND = 0x1000; // bytes on each side of the program
const CHOSEN = 12;
const STEPS = 120; // more than a block has, so that one is run whole
const TRIES = 40;

const halfword = ({ mcu }, address) => mcu.sramView.getUint16(address - RAM, true);
const snapshot = ({ core, mcu }) => ({
  registers: core.registers.slice(),
  N: core.N,
  Z: core.Z,
  C: core.C,
  V: core.V,
  data: mcu.sram.slice(0x4000, 0x4000 + 1024),
});

function step() {
  const { core } = plain;
  const op = halfword(plain, core.registers[15]);
  const before = snapshot(plain);
  const cycles = core.executeInstruction();
  correct(op, before);
  return cycles;
}

// Any instruction; those more often that do more than others: with registers, jumps, branches, lists of registers.
function any() {
  const kind = random(10);
  if (kind < 3) return 0x4000 | random(0x400);
  if (kind === 3) return 0x4400 | random(0x400);
  if (kind < 6) return 0xd000 | random(0xe00);
  if (kind === 6) return [0xb400, 0xbc00, 0xc000, 0xc800][random(4)] | random(0x200);
  return random(0xf800);
}

// Put a random instruction where the program is, one that rp2040js does; return its cycles, null: none was found.
function choose(used) {
  const at = plain.core.registers[15];
  const before = snapshot(plain);
  for (let tries = 0; tries < TRIES; tries++) {
    const op = any();
    if (left(op) || op >>> 11 === 0x1d) continue;
    const isLong = op >>> 11 === 0x1e;
    if (isLong && used.has(at + 2)) continue;
    plain.mcu.sramView.setUint16(at - RAM, isLong ? 0xf000 | (random(2) * 0x7ff) : op, true);
    if (isLong) plain.mcu.sramView.setUint16(at - RAM + 2, 0xf800 | random(0x800), true);
    try {
      const cycles = step();
      if (Math.abs(plain.core.registers[15] - CODE) < AROUND - 400) {
        if (isLong) used.add(at + 2);
        return cycles;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    restore(plain, before);
    if (isLong) plain.mcu.sramView.setUint16(at - RAM + 2, NOP, true);
  }
  plain.mcu.sramView.setUint16(at - RAM, NOP, true);
  return null;
}

function program() {
  plain.mcu.sram.subarray(CODE - RAM - AROUND, CODE - RAM + AROUND).forEach((_, i, bytes) => (bytes[i] = i & 1 ? NOP >>> 8 : NOP & 255));
  const before = prepare();
  const used = new Set(); // addresses whose instruction is settled
  for (let i = 0; i < CHOSEN; i++) {
    const at = plain.core.registers[15];
    if (Math.abs(at - CODE) > AROUND - 400) return null;
    const free = !used.has(at);
    used.add(at);
    if (!free || choose(used) === null) step();
  }
  restore(plain, before); // again from the start: it may have read its own instructions before they were chosen
  let cycles = 0;
  for (let i = 0; i < STEPS; i++) {
    cycles += step();
    if (Math.abs(plain.core.registers[15] - CODE) > AROUND - 400) return null;
  }
  fast.mcu.sram.set(plain.mcu.sram.subarray(CODE - RAM - AROUND, CODE - RAM + AROUND), CODE - RAM - AROUND);
  fast.blocks.ramWritten(CODE - RAM - AROUND, 2 * AROUND);
  restore(fast, before);
  return cycles;
}

function runFast(cycles) {
  const start = fast.clock.nanos;
  const nanos = 1e9 / fast.mcu.clkSys;
  const instructions = fast.run(start + (cycles - 0.5) * nanos);
  return { instructions, cycles: Math.round((fast.clock.nanos - start) / nanos) };
}

const different = [];
let compared = 0;
let translated = 0;
const differs = (what) => different.length < 10 && different.push(what);

for (let i = 0; i < programs; i++) {
  let cycles = null;
  try {
    cycles = program();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  if (cycles === null) continue;
  const words = [];
  for (let at = CODE - AROUND; at < CODE + AROUND; at += 2) {
    if (halfword(plain, at) !== NOP) words.push(`${(at - CODE).toString(16)}:${halfword(plain, at).toString(16)}`);
  }
  let done;
  try {
    done = runFast(cycles);
  } catch (error) {
    differs(`${words.join(' ')}: ${error.stack}`);
    continue;
  }
  compared++;
  if (fast.blocks.run[placeOf(CODE)]) translated++;
  if (look(fast) !== look(plain) || done.cycles !== cycles || done.instructions !== STEPS) {
    differs(`${words.join(' ')}\n ${JSON.stringify(done)} ${cycles}\n ${look(fast).slice(0, 150)}\n ${look(plain).slice(0, 150)}`);
  }
}

// -- a program that is written over ------------------------------------------------------------------------------------

const { mcu, core, blocks } = fast;
const MOVS = 0x2000; // MOVS r0, #n

function load(...ops) {
  ops.push(...new Array(120).fill(NOP));
  ops.forEach((op, i) => mcu.sramView.setUint16(CODE - RAM + 2 * i, op, true));
  blocks.ramWritten(CODE - RAM, 2 * ops.length);
}

function r0(registers = {}) {
  core.registers.set(new Uint32Array(16));
  for (const [n, x] of Object.entries(registers)) core.registers[n] = x;
  core.registers[15] = CODE;
  runFast(100);
  return core.registers[0];
}

const writes = {
  'the bus': () => mcu.writeUint16(CODE, MOVS | 2),
  STRH: () => other([0x8001], { 0: CODE, 1: MOVS | 2 }), // STRH r1, [r0]
  STR: () => other([0x6001], { 0: CODE, 1: (NOP << 16) | MOVS | 2 }),
  STRB: () => other([0x7001], { 0: CODE, 1: 2 }),
  STMIA: () => other([0xc002], { 0: CODE, 1: (NOP << 16) | MOVS | 2 }),
  PUSH: () => other([0xb402], { 13: CODE + 4, 1: (NOP << 16) | MOVS | 2 }),
};

// Run another program, elsewhere in RAM.
function other(ops, registers) {
  const at = CODE + 0x2000;
  [...ops, ...new Array(120).fill(NOP)].forEach((op, i) => mcu.sramView.setUint16(at - RAM + 2 * i, op, true));
  blocks.ramWritten(at - RAM, 250);
  core.registers.set(new Uint32Array(16));
  for (const [n, x] of Object.entries(registers)) core.registers[n] = x >>> 0;
  core.registers[15] = at;
  runFast(100);
}

for (const [name, write] of Object.entries(writes)) {
  load(MOVS | 1);
  const once = r0();
  write();
  const then = r0();
  if (once !== 1 || then !== 2) differs(`written over by ${name}: ${once} ${then}`);
}

const FLASH = 0x10000000;
function fromFlash() {
  core.registers.set(new Uint32Array(16));
  core.registers[15] = FLASH + 0x1000;
  runFast(100);
  return core.registers[0];
}
mcu.flash16.fill(NOP, 0x800, 0x900);
mcu.flash16[0x800] = 0x48ff; // LDR r0, [pc, #1020]
mcu.flash16.set([0x5678, 0x1234], 0xa00);
const once = fromFlash();
mcu.flash16.set([0xcdef, 0x89ab], 0xa00);
blocks.flashWritten(0x1000);
const then = fromFlash();
if (once !== 0x12345678 || then !== 0x89abcdef) differs(`flash that is written over: ${once} ${then}`);

process.stdout.write(JSON.stringify({ compared, translated, different }));
process.exit(0);
