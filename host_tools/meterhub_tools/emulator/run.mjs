// The emulated Raspberry Pi Pico as a process: its USB serial line is a TCP port, the rest of the world is on stdin and
// stdout, one JSON object a line. board.py starts it and speaks with it.
//
//   node run.mjs CONFIG    CONFIG: JSON with
//     rom, image   paths of the boot ROM and of what is flashed at offset 0
//     flash        path of the flash's former content, or null: erased
//     seed         of the ring oscillator's random bits
//     pace         virtual seconds a second at most, null: as fast as it goes; sleep takes no time then
//     flash_takes_time  false: erasing and programming are done in no time
//
// Commands {"id", "do", ...} are answered {"id", "ok": true, ...} or {"id", "ok": false, "says"}; they are the methods of
// `commands` below. Events {"ev", ...}: port, on, off (why: reset, cut, bootloader, fault, asked), usb, fed, uart, i2c, spi,
// pin, pulsed, fault. Times "ms" are virtual. METERHUB_RP2040JS is the folder of the package rp2040js.

import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import { Chip } from './chip.mjs';
import { Clock } from './clock.mjs';
import { World } from './world.mjs';

const SLICE_NANOS = 2e6; // how long the chip runs before others have their turn
const CREDIT_NANOS = 50e6; // of real time that was not used: more is forgotten, so that a board never rushes
const NAP_MS = 20;
const MS = 1e6;

const config = JSON.parse(process.argv[2]);
const rom = fs.readFileSync(config.rom);
const image = fs.readFileSync(config.image);
console.debug = console.info = console.warn = () => {}; // rp2040js remarks on what it knows and leaves out
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const world = new World(config, tell);
if (config.flash) world.flash.set(fs.readFileSync(config.flash));
world.flash.set(image);

// -- the chip runs -----------------------------------------------------------------------------------------------------

let { pace } = config;
let anchor = null; // {real, virtual}: the two clocks, as they were together
let forgetTurn = () => {}; // the one that is to come

function power(on, kept) {
  if (on) {
    world.plug(new Chip(rom, world.flash, new Clock(), world, kept));
    tell({ ev: 'on', boots: world.counted.boots, ms: world.ms });
    anchor = null;
    wake();
  } else world.unplug();
}

function wake() {
  if (world.chip) giveTurn(world.chip);
}

// Let the chip run, now or some milliseconds later: one turn at a time is to come.
function giveTurn(chip, ms = 0) {
  forgetTurn();
  const turn = ms ? setTimeout(slice, ms, chip) : setImmediate(slice, chip);
  forgetTurn = () => (ms ? clearTimeout(turn) : clearImmediate(turn));
}

// How far virtual time may go now, on the clock of this boot.
function allowed(now) {
  if (pace === null) return Infinity;
  const real = performance.now() * MS;
  anchor ??= { real, virtual: now };
  const limit = anchor.virtual + (real - anchor.real) * pace;
  if (limit - now > CREDIT_NANOS) {
    anchor = { real, virtual: now };
    return now + CREDIT_NANOS;
  }
  return limit;
}

function slice(chip) {
  if (chip !== world.chip) return;
  const { clock } = chip;
  const limit = allowed(clock.nanos);
  const until = Math.min(limit, clock.nanos + SLICE_NANOS);
  chip.pump();
  while (clock.nanos < until && !chip.stopped) {
    if (chip.mcu.core.waiting) clock.advance(Math.min(until, Math.max(clock.next, clock.nanos)));
    else world.counted.instructions += chip.run(until);
    if (clock.next === Infinity && chip.mcu.core.waiting && pace === null) break;
  }
  if (chip.stopped) return ended(chip);
  const asleep = chip.mcu.core.waiting;
  if (asleep && pace === null && clock.next === Infinity) return; // until something comes from outside
  if (clock.nanos < limit) giveTurn(chip);
  else giveTurn(chip, Math.min(NAP_MS, asleep ? Math.max(1, (clock.next - clock.nanos) / pace / MS) : 1));
}

let ending = '';

world.ended = (why) => {
  ending = why;
};

function ended(chip) {
  const { kept } = chip;
  power(false);
  hangUp();
  if (ending === 'cut') world.cut = null;
  tell({ ev: 'off', why: ending, ms: world.ms });
  if (ending === 'reset') power(true, kept);
  else server.close();
}

// -- the USB line ------------------------------------------------------------------------------------------------------

let client = null;
let port = 0;

const server = net.createServer((socket) => {
  client?.destroy();
  client = socket;
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    for (const byte of bytes) world.usbWaiting.push(byte);
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (client !== socket) return;
    client = null;
    world.chip?.portChanged(false);
  });
  world.chip?.portChanged(true);
  wake();
});

function hangUp() {
  client?.destroy();
  client = null;
}

function listen() {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      ({ port } = server.address());
      resolve();
    });
  });
}

world.portIsOpen = () => client !== null;
world.usbSent = (bytes) => client?.write(Buffer.from(bytes));
world.usbConnected = () => tell({ ev: 'usb', ms: world.ms, instructions: world.counted.instructions });

// -- what may be asked -------------------------------------------------------------------------------------------------

const commands = {
  async power({ on }) {
    if (on && !world.chip) {
      await listen();
      power(true);
    } else if (!on && world.chip) {
      world.chip.stopped = true;
      power(false);
      hangUp();
      server.close();
      tell({ ev: 'off', why: 'asked', ms: world.ms });
    }
    return { port };
  },
  status() {
    const lines = world.lines.map(({ heard, lost, waiting }) => ({ heard, lost, waiting: waiting.length }));
    return { on: world.chip !== null, virtual_ms: world.ms, ...world.counted, lines };
  },
  // Answers when so much virtual time has passed.
  wait({ ms }) {
    return new Promise((resolve) => world.after(ms * MS, () => resolve({ virtual_ms: world.ms })));
  },
  feed({ uart, data }) {
    world.feed(uart, Buffer.from(data, 'hex'));
  },
  drive({ gpio, level }) {
    world.drive(gpio, level);
  },
  contact({ gpio, count, period_ms, low_ms }) {
    world.contact(gpio, count, period_ms * MS, low_ms * MS);
  },
  bounce({ gpio, at_ms }) {
    world.bounce(gpio, at_ms.map((ms) => ms * MS));
  },
  i2c({ bus, addresses }) {
    world.present[bus] = new Set(addresses);
  },
  watch({ gpios }) {
    for (const gpio of gpios) world.watched.set(gpio, null);
  },
  pace(words) {
    ({ pace } = words);
    anchor = null;
  },
  cut({ after, torn }) {
    world.cut = after === null ? null : { left: after, torn };
  },
  save({ path }) {
    fs.writeFileSync(path, world.flash);
  },
  load({ path, whole }) {
    if (world.chip) throw new Error('the flash cannot be changed while the board is on');
    world.flash.set(fs.readFileSync(path));
    if (!whole) world.flash.set(image);
  },
};

async function obey(line) {
  const { id, do: name, ...words } = JSON.parse(line);
  try {
    if (!Object.hasOwn(commands, name)) throw new Error(`no such command: ${name}`);
    const answer = commands[name](words);
    wake(); // it may wait for what the chip does
    tell({ id, ok: true, ...(await answer) });
  } catch (error) {
    tell({ id, ok: false, says: error.message });
  }
}

readline
  .createInterface({ input: process.stdin })
  .on('line', obey)
  .on('close', () => process.exit(0));
