// Calls functions of the boot ROM as firmware does: through its tables, on the emulator's core.
//
//   node rom_call.mjs ROM < CALLS > RESULTS    both JSON lists
//     {"code": "MC", "args": [...], "ram": hex}  or  {"table": "SF", "offset": 8, "args": [...]}
//     {"r": [r0, r1], "ram": hex of the same length, "trap": the number of the breakpoint that ended it}

import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const { RP2040 } = await import(pathToFileURL(`${process.env.METERHUB_RP2040JS}/dist/esm/index.js`));
const { fastCore } = await import(pathToFileURL(`${process.env.METERHUB_EMULATOR}/core.mjs`));
const { Clock } = await import(pathToFileURL(`${process.env.METERHUB_EMULATOR}/clock.mjs`));

const RAM = 0x20000000;
const RETURN = RAM + 0x8000;
const DONE = 99;

const rom = fs.readFileSync(process.argv[2]);
const clock = new Clock();
const mcu = new RP2040(clock);
mcu.loadBootrom(new Uint32Array(rom.buffer, rom.byteOffset, rom.byteLength / 4));
mcu.writeUint16(RETURN, 0xbe00 | DONE);
let ended = null;
mcu.onBreak = (number) => (ended = number);
const { run } = fastCore(mcu, clock, () => ended !== null);

function call(pointer, args) {
  const { registers } = mcu.core;
  registers.set(args);
  registers[13] = RAM + 0x10000;
  registers[14] = RETURN | 1;
  registers[15] = pointer & ~1;
  ended = null;
  run(clock.nanos + 1e9);
  return [registers[0], registers[1]];
}

const half = (address) => mcu.readUint16(address);
const find = (table, name) => call(half(0x18), [half(table), Buffer.from(name).readUInt16LE()])[0];

const answer = ({ code, table, offset, args, ram }) => {
  const pointer = code ? find(0x14, code) : mcu.readUint32(find(0x16, table) + offset);
  const given = Buffer.from(ram ?? '', 'hex');
  mcu.sram.set(given);
  const r = call(pointer, args);
  return { r, ram: Buffer.from(mcu.sram.subarray(0, given.length)).toString('hex'), trap: ended === DONE ? null : ended };
};

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(answer)));
