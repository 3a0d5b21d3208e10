// What is around the chip and outlives its resets: flash, lines, pins, buses, the counters, the calendar of things to come.
//
// Everything happens in virtual time. tell(event) sends one event to whoever started the emulator.

import { FLASH_BYTES } from './chip.mjs';

const MS = 1e6;

export class World {
  constructor(config, tell) {
    this.tell = tell;
    this.flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    this.flashTakesTime = config.flash_takes_time;
    this.chip = null;
    this.passed = 0; // virtual nanoseconds of the boots before this one
    this.calendar = new Set(); // {nanos, action, alarm}
    this.counted = { boots: 0, instructions: 0, erases: 0, programs: 0 };
    this.cut = null; // {left, torn}
    this.usbWaiting = [];
    this.outside = new Map(); // gpio: level
    this.present = [new Set(), new Set()]; // the addresses on each I2C bus
    this.watched = new Map(); // gpio: level told last
    this.lines = [0, 1].map(() => ({ waiting: [], busy: false, heard: 0, lost: 0, sent: [] }));
    this.clocked = [[], []]; // what SPI has sent since it was told last
    this.random = generator(config.seed);
  }

  // -- time ----------------------------------------------------------------------------------------------------------

  get nanos() {
    return this.passed + (this.chip ? this.chip.clock.nanos : 0);
  }

  get ms() {
    return this.nanos / MS;
  }

  after(nanos, action) {
    const entry = { nanos: this.nanos + nanos, action, alarm: null };
    this.calendar.add(entry);
    if (this.chip) this.arm(entry);
  }

  arm(entry) {
    entry.alarm = this.chip.clock.createAlarm(() => {
      this.calendar.delete(entry);
      entry.action();
    });
    entry.alarm.schedule(Math.max(0, entry.nanos - this.nanos));
  }

  plug(chip) {
    this.chip = chip;
    this.usbWaiting.length = 0;
    this.counted.boots++;
    for (const entry of this.calendar) this.arm(entry);
  }

  unplug() {
    if (!this.chip) return;
    this.passed += this.chip.clock.nanos;
    this.chip = null;
  }

  // -- flash ---------------------------------------------------------------------------------------------------------

  // One more erase or program is about to begin. Returns how many of its bytes come about.
  flashOperation(what, bytes) {
    this.counted[`${what}s`]++;
    if (this.cut) this.cut.left--;
    return this.cut?.left === 0 && this.cut.torn ? bytes / 2 : bytes;
  }

  cutNow() {
    return this.cut?.left === 0;
  }

  // -- lines ---------------------------------------------------------------------------------------------------------

  feed(id, bytes) {
    const line = this.lines[id];
    for (const byte of bytes) line.waiting.push(byte);
    if (!line.busy) this.nextByte(id);
  }

  nextByte(id) {
    const line = this.lines[id];
    line.busy = line.waiting.length > 0;
    if (!line.busy) return this.tell({ ev: 'fed', uart: id, lost: line.lost });
    this.after(this.chip ? this.chip.byteNanos(id) : MS, () => {
      if (this.chip?.receive(id, line.waiting.shift())) line.heard++;
      else line.lost++;
      this.nextByte(id);
    });
  }

  uartSent(id, byte) {
    const { sent } = this.lines[id];
    sent.push(byte);
    if (sent.length === 1) {
      this.after(MS, () => this.tell({ ev: 'uart', uart: id, data: hex(sent.splice(0)), ms: this.ms }));
    }
  }

  // -- buses ---------------------------------------------------------------------------------------------------------

  isOnBus(bus, address) {
    return this.present[bus].has(address);
  }

  i2cWritten(bus, address, bytes) {
    this.tell({ ev: 'i2c', bus, address, data: hex(bytes), ms: this.ms });
  }

  spiSent(bus, value) {
    const words = this.clocked[bus];
    words.push(value);
    if (words.length === 1) this.after(MS, () => this.spiTold());
  }

  spiTold() {
    this.clocked.forEach((words, bus) => {
      if (words.length) this.tell({ ev: 'spi', bus, data: hex(words.splice(0)), ms: this.ms });
    });
  }

  // -- pins ----------------------------------------------------------------------------------------------------------

  drives(gpio) {
    return this.outside.get(gpio);
  }

  // Put a level on a pin from outside; null lets go.
  drive(gpio, level) {
    if (level === null) this.outside.delete(gpio);
    else this.outside.set(gpio, level);
    this.chip?.level(gpio);
  }

  // Close a contact to ground `count` times, each time for `low` nanoseconds, one beginning after every `period`.
  contact(gpio, count, period, low) {
    if (!count) return this.tell({ ev: 'pulsed', gpio });
    this.drive(gpio, 0);
    this.after(low, () => this.drive(gpio, null));
    this.after(period, () => this.contact(gpio, count - 1, period, low));
  }

  // Close a contact to ground and open it, in turn, at these moments from now (nanoseconds).
  bounce(gpio, moments) {
    moments.forEach((nanos, i) => this.after(nanos, () => this.drive(gpio, i % 2 ? null : 0)));
    this.after(moments.at(-1), () => this.tell({ ev: 'pulsed', gpio }));
  }

  // What the chip itself drives a pin to, if somebody wants to know; an SPI device's select pin ends what SPI has sent.
  pinDriven(gpio, level) {
    if (!this.watched.has(gpio) || this.watched.get(gpio) === level) return;
    this.watched.set(gpio, level);
    this.spiTold();
    this.tell({ ev: 'pin', gpio, level, ms: this.ms });
  }
}

export function hex(bytes) {
  return Buffer.from(bytes).toString('hex');
}

// xorshift32 (Marsaglia 2003): repeatable, and random enough for an emulated oscillator.
function generator(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 16;
  };
}
