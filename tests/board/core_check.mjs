// Holds the emulator's own core against rp2040js's: every 16-bit instruction, with many states of registers and flags.
//
//   node core_check.mjs ROUNDS SEED    prints {"compared", "skipped", "different": [what, ...]}

import { CODE, RAM, Refused, correct, fast, left, look, plain, prepare, random, seed } from './core_machines.mjs';

const [rounds, number] = process.argv.slice(2).map(Number);
seed(number);

const different = new Map();
let compared = 0;
let skipped = 0;
for (let round = 0; round < rounds; round++) {
  for (let op = 0; op < 0xf800; op++) {
    if (left(op) || (op >>> 11 === 0x1d)) continue;
    const op2 = op >>> 11 === 0x1e ? 0xd000 | random(0x3000) | 0xc000 : random(65536);
    const before = prepare();
    for (const { mcu } of [fast, plain]) {
      mcu.sramView.setUint16(CODE - RAM, op, true);
      mcu.sramView.setUint16(CODE - RAM + 2, op2, true);
    }
    let cycles;
    try {
      cycles = plain.core.executeInstruction();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      skipped++;
      continue;
    }
    correct(op, before);
    const start = fast.clock.nanos;
    let spent;
    try {
      fast.run(start + 1e-6);
      spent = Math.round(((fast.clock.nanos - start) / 1e9) * fast.mcu.clkSys);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      spent = error.message;
    }
    compared++;
    if (look(fast) !== look(plain) || spent !== cycles) {
      const at = `${op.toString(16)} ${op2.toString(16)}`;
      if (!different.has(op >>> 6)) different.set(op >>> 6, `${at} ${spent}/${cycles}\n ${look(fast).slice(0, 150)}\n ${look(plain).slice(0, 150)}`);
    }
  }
}
process.stdout.write(JSON.stringify({ compared, skipped, different: [...different.values()] }));
