// Translates what a Cortex-M0+ does often into JavaScript: runs of instructions become functions on the same registers and
// memories. What they do not do themselves they leave to core.mjs, at the very instruction: anything but RAM and flash,
// returns from exceptions, all that is slow there.
//
// A block follows the program over branches that are always taken and over calls, until a jump whose end is not known, or
// for LONGEST instructions; a branch that is taken sometimes leaves it. Within a block each result is a constant of its own,
// registers are written when it is left, and flags are worked out where they are looked at. Cycles are those of core.mjs.
//
// Source: ARMv6-M Architecture Reference Manual, A6

const RAM = 0x20000000;
const RAM_BYTES = 264 * 1024;
const ROM_BYTES = 16 * 1024;
const FLASH_BYTES = 2 * 1024 * 1024;
const RAM_AT = FLASH_BYTES >>> 1; // where the places of RAM begin, counted in halfwords
const ROM_AT = RAM_AT + (RAM_BYTES >>> 1);
const PLACES = ROM_AT + (ROM_BYTES >>> 1);
const LONGEST = 48;
const OFTEN = 1000; // how often a place is come to before it is worth a translation
const NEVER = 65535; // for `visits`: there is nothing to translate
const LINE = 6; // RAM is looked after in lines of 64 bytes

// What a block leaves in `state`; it returns the cycles it has spent, or ~cycles when the next instruction is for core.mjs.
export const NZ = 0;
export const C = 1;
export const V = 2;
export const PC = 3;
export const COUNT = 4; // instructions, added up

// The place of an address in the tables; -1: nothing is translated there.
export function placeOf(pc) {
  if (pc >>> 24 === 0x10) return (pc & 0xffffff) < FLASH_BYTES ? (pc & 0xffffff) >>> 1 : -1;
  if (pc - RAM >>> 0 < RAM_BYTES) return RAM_AT + ((pc - RAM) >>> 1);
  return pc < ROM_BYTES ? ROM_AT + (pc >>> 1) : -1;
}

export class Blocks {
  // often: after how many visits a place is translated
  constructor(mcu, often = OFTEN) {
    this.often = often;
    this.state = new Int32Array(5);
    this.run = new Array(PLACES).fill(null); // by place: the function
    this.most = new Uint16Array(PLACES); // the cycles it takes at the most
    this.visits = new Uint16Array(PLACES);
    this.lines = new Uint8Array(RAM_BYTES >>> LINE); // 1: there is something translated in this line
    this.inRam = new Uint8Array(RAM_BYTES >>> 1); // 1: this halfword is part of a block
    this.endOfFlash = 0; // nothing beyond is part of a block
    this.code = { flash: mcu.flash16, ram: new Uint16Array(mcu.sram.buffer), rom: new Uint16Array(mcu.bootrom.buffer) };
    const ram = mcu.sram.buffer;
    const flash = mcu.flash.buffer;
    this.memories = [
      new Int32Array(mcu.core.registers.buffer, mcu.core.registers.byteOffset, 16),
      this.state,
      this.lines,
      ...[Int32Array, Uint16Array, Int16Array, Uint8Array, Int8Array].map((Kind) => new Kind(ram)),
      ...[Int32Array, Uint16Array, Int16Array, Uint8Array, Int8Array].map((Kind) => new Kind(flash)),
    ];
  }

  // A place was come to that has no block. Returns whether it has one now.
  visit(place, pc) {
    if (this.visits[place] === NEVER || ++this.visits[place] < this.often) return false;
    const block = new Translation(this.code, pc).block();
    this.visits[place] = block ? 0 : NEVER;
    if (!block) return false;
    for (const at of block.addresses) this.mark(at);
    this.most[place] = block.most;
    this.run[place] = new Function('r', 's', 'lines', 'r32', 'r16', 'r16s', 'r8', 'r8s', 'f32', 'f16', 'f16s', 'f8', 'f8s', block.text)(...this.memories);
    return true;
  }

  mark(at) {
    if (at - RAM >>> 0 < RAM_BYTES) {
      this.inRam[(at - RAM) >>> 1] = 1;
      this.lines[(at - RAM) >>> LINE] = 1;
    } else if (at >>> 24 === 0x10) this.endOfFlash = Math.max(this.endOfFlash, (at & 0xffffff) + 2);
  }

  // RAM was written, from the offset `at` on: forget what was translated, if that was part of it.
  ramWritten(at, bytes) {
    for (let i = at >>> 1; i < (at + bytes + 1) >>> 1; i++) {
      if (this.inRam[i]) {
        this.forget(RAM_AT, ROM_AT);
        this.lines.fill(0);
        this.inRam.fill(0);
        return;
      }
    }
  }

  // Flash was written, from the offset `at` on.
  flashWritten(at) {
    if (at >= this.endOfFlash) return;
    this.forget(0, RAM_AT);
    this.endOfFlash = 0;
  }

  forget(from, to) {
    this.run.fill(null, from, to);
    this.visits.fill(0, from, to);
  }
}

const CONDITIONS = [
  ['x === y', 'nz === 0'],
  ['(x >>> 0) >= (y >>> 0)', 'c === 1'],
  [null, 'nz < 0'],
  [null, 'v < 0'],
  ['(x >>> 0) > (y >>> 0)', 'c === 1 && nz !== 0'],
  ['x >= y', '(nz < 0) === (v < 0)'],
  ['x > y', 'nz !== 0 && (nz < 0) === (v < 0)'],
];

class Translation {
  constructor(code, pc) {
    this.memory = code;
    this.start = pc;
    this.pc = pc;
    this.lines = [];
    this.reads = new Set(); // registers and flags whose value from before is needed
    this.registers = new Map(); // number: what its value is called
    this.flags = { nz: null, c: null, v: null, compared: null };
    this.cycles = 0;
    this.most = 0;
    this.count = 0;
    this.names = 0;
    this.addresses = [];
  }

  block() {
    let goesOn = true;
    while (goesOn && this.count < LONGEST && this.addresses.length < 2 * LONGEST) {
      const op = this.fetch(this.pc);
      if (op === null) break;
      const before = this.pc;
      goesOn = this.instruction(op);
      if (goesOn === null) break; // not one of ours
      this.addresses.push(before);
      if (op >>> 11 === 0x1e) this.addresses.push(before + 2);
    }
    if (!this.count) return null;
    if (goesOn !== false) this.leave(this.pc, this.cycles, goesOn === null);
    const head = [...this.reads].map((name) => `const ${name} = ${this.before(name)};`).join('\n');
    const body = this.lines.join('\n');
    const text = `const most = ${this.most}; return (budget) => { let spent = 0; for (;;) {\n${head}\n${body}\n} };`;
    return { text, most: this.most, addresses: this.addresses };
  }

  before(name) {
    const flag = ['nz0', 'c0', 'v0'].indexOf(name);
    return flag < 0 ? `r[${name.slice(1, -2)}]` : `s[${flag}]`;
  }

  fetch(pc) {
    if (pc >>> 24 === 0x10) return (pc & 0xffffff) < FLASH_BYTES - 4 ? this.memory.flash[(pc & 0xffffff) >>> 1] : null;
    if (pc - RAM >>> 0 < RAM_BYTES - 4) return this.memory.ram[(pc - RAM) >>> 1];
    return pc < ROM_BYTES - 4 ? this.memory.rom[pc >>> 1] : null;
  }

  // -- values ----------------------------------------------------------------------------------------------------------

  get(n) {
    const name = this.registers.get(n);
    if (name !== undefined) return name;
    this.reads.add(`r${n}_0`);
    return `r${n}_0`;
  }

  name(text) {
    const name = `t${this.names++}`;
    this.lines.push(`const ${name} = ${text};`);
    return name;
  }

  set(n, text) {
    const name = /^(t\d+|r\d+_0|-?\d+)$/.test(text) ? text : this.name(text);
    this.registers.set(n, name);
    return name;
  }

  flag(name) {
    if (this.flags[name] !== null) return this.flags[name];
    this.reads.add(`${name}0`);
    return `${name}0`;
  }

  setNZ(name) {
    this.flags.nz = name;
    this.flags.compared = null;
  }

  added(d, x, y) {
    const sum = this.name(`(${x} + ${y}) | 0`);
    this.flags = { nz: sum, c: `((${sum} >>> 0) < (${x} >>> 0) ? 1 : 0)`, v: `((${x} ^ ${sum}) & (${y} ^ ${sum}))`, compared: null };
    this.registers.set(d, sum);
  }

  subtracted(d, x, y) {
    const left = this.name(`(${x} - ${y}) | 0`);
    this.flags = { nz: left, c: `((${x} >>> 0) >= (${y} >>> 0) ? 1 : 0)`, v: `((${x} ^ ${y}) & (${x} ^ ${left}))`, compared: [x, y] };
    if (d !== null) this.registers.set(d, left);
  }

  logical(d, text) {
    const name = this.name(text);
    this.setNZ(name);
    if (d !== null) this.registers.set(d, name);
  }

  // What is written when the block is left.
  written() {
    const words = [...this.registers].filter(([n, name]) => name !== `r${n}_0`).map(([n, name]) => `r[${n}] = ${name};`);
    ['nz', 'c', 'v'].forEach((name, i) => {
      if (this.flags[name] !== null) words.push(`s[${i}] = ${this.flags[name]};`);
    });
    words.push(`s[${COUNT}] += ${this.count};`);
    return words.join(' ');
  }

  // Go to the address `to`: a number, or the name of one. slowly: the instruction there is for core.mjs.
  leaving(to, cycles, slowly = false) {
    this.most = Math.max(this.most, cycles);
    const spent = `spent + ${cycles}`;
    if (to === this.start && !slowly) {
      return `${this.written()} spent += ${cycles}; if (spent + most <= budget) continue; s[${PC}] = ${to}; return spent;`;
    }
    return `${this.written()} s[${PC}] = ${to}; return ${slowly ? `~(${spent})` : spent};`;
  }

  leave(to, cycles, slowly) {
    this.lines.push(this.leaving(to, cycles, slowly));
  }

  giveUp(when) {
    this.lines.push(`if (${when}) { ${this.leaving(this.pc, this.cycles, true)} }`);
  }

  done(cycles, next = this.pc + 2) {
    this.cycles += cycles;
    this.count++;
    this.pc = next;
    return true;
  }

  // Leave the block for where `to`, a name, points; a return from an exception is for core.mjs.
  jump(to, cycles) {
    this.giveUp(`${to} >>> 28 === 15`);
    this.cycles += cycles;
    this.count++;
    this.lines.push(this.leaving(`${to} & ~1`, this.cycles));
    return false;
  }

  // -- memory ----------------------------------------------------------------------------------------------------------

  // kind: as in core.mjs
  access(kind, address, target) {
    const size = kind > 10 ? kind - 10 : Math.abs(kind);
    const shift = size >> 1; // 1 2 4: 0 1 2
    const view = kind > 10 ? { 4: '32', 2: '16', 1: '8' }[size] : { 4: '32', 2: '16', 1: '8', [-1]: '8s', [-2]: '16s' }[kind];
    const index = (at) => (shift ? `${at} >> ${shift}` : at);
    const unaligned = size > 1 ? (at) => ` && !(${at} & ${size - 1})` : () => '';
    const a = this.name(`(${address}) | 0`);
    const o = this.name(`${a} - ${RAM} | 0`);
    const inside = `(${o} >>> 0) < ${RAM_BYTES}${unaligned(o)}`;
    if (kind > 10) {
      const value = this.get(target);
      this.giveUp(`!(${inside}) || lines[${o} >> ${LINE}]`);
      this.lines.push(`r${view}[${index(o)}] = ${value};`);
    } else {
      const t = `t${this.names++}`;
      const f = `${a} & 0xffffff`;
      this.lines.push(
        `let ${t}; if (${inside}) ${t} = r${view}[${index(o)}];`,
        `else if (${a} >>> 24 === 16${unaligned(a)}) ${t} = f${view}[${index(`(${f})`)}];`,
        `else { ${this.leaving(this.pc, this.cycles, true)} }`,
      );
      this.registers.set(target, t);
    }
    return this.done(2);
  }

  literal(address, target) {
    const low = this.fetch(address);
    const high = this.fetch(address + 2);
    if (low === null || high === null || address - RAM >>> 0 < RAM_BYTES) return this.access(4, `${address}`, target);
    this.addresses.push(address, address + 2);
    this.registers.set(target, `${low | (high << 16)}`);
    return this.done(2);
  }

  // Check that the words from the name `base` on are in RAM; write: and that nothing there is translated.
  words(base, count, write) {
    const o = this.name(`${base} - ${RAM} | 0`);
    const code = write ? ` || lines[${o} >> ${LINE}] || lines[${o} + ${4 * count - 1} >> ${LINE}]` : '';
    this.giveUp(`(${o} >>> 0) > ${RAM_BYTES - 4 * count} || ${o} & 3${code}`);
    return o;
  }

  // -- instructions ----------------------------------------------------------------------------------------------------

  // Take one instruction. Returns whether the block goes on; null: it is not one of ours.
  instruction(op) {
    const a = (op >>> 3) & 7;
    const d = op & 7;
    const d8 = (op >>> 8) & 7;
    const byte = op & 0xff;
    const upper = op >>> 11;
    switch (upper) {
      case 0x00:
      case 0x01:
      case 0x02:
        return this.shift(upper, d, this.get(a), (op >>> 6) & 31);
      case 0x03: {
        const m = (op >>> 6) & 7;
        const y = op & 0x0400 ? `${m}` : this.get(m);
        if (op & 0x0200) this.subtracted(d, this.get(a), y);
        else this.added(d, this.get(a), y);
        return this.done(1);
      }
      case 0x04:
        this.setNZ(`${byte}`);
        this.registers.set(d8, `${byte}`);
        return this.done(1);
      case 0x05:
        this.subtracted(null, this.get(d8), `${byte}`);
        return this.done(1);
      case 0x06:
        this.added(d8, this.get(d8), `${byte}`);
        return this.done(1);
      case 0x07:
        this.subtracted(d8, this.get(d8), `${byte}`);
        return this.done(1);
      case 0x08:
        return op & 0x0400 ? this.highRegisters(op) : this.register((op >>> 6) & 15, d, this.get(d), this.get(a));
      case 0x09:
        return this.literal(((this.pc + 4) & ~3) + (byte << 2), d8);
      case 0x0a:
        return this.access([14, 12, 11, -1][(op >>> 9) & 3], `${this.get(a)} + ${this.get((op >>> 6) & 7)}`, d);
      case 0x0b:
        return this.access([4, 2, 1, -2][(op >>> 9) & 3], `${this.get(a)} + ${this.get((op >>> 6) & 7)}`, d);
      case 0x0c:
      case 0x0d:
        return this.access(upper === 0x0c ? 14 : 4, `${this.get(a)} + ${(op >>> 4) & 0x7c}`, d);
      case 0x0e:
      case 0x0f:
        return this.access(upper === 0x0e ? 11 : 1, `${this.get(a)} + ${(op >>> 6) & 31}`, d);
      case 0x10:
      case 0x11:
        return this.access(upper === 0x10 ? 12 : 2, `${this.get(a)} + ${(op >>> 5) & 0x3e}`, d);
      case 0x12:
      case 0x13:
        return this.access(upper === 0x12 ? 14 : 4, `${this.get(13)} + ${byte << 2}`, d8);
      case 0x14:
        this.registers.set(d8, `${((this.pc + 4) & ~3) + (byte << 2)}`);
        return this.done(1);
      case 0x15:
        this.set(d8, `(${this.get(13)} + ${byte << 2}) | 0`);
        return this.done(1);
      case 0x16:
        return this.stackAndExtend(op, d, a);
      case 0x17:
        return this.pop(op);
      case 0x18:
      case 0x19:
        return this.multiple(op, d8);
      case 0x1a:
      case 0x1b:
        return this.branch((op >>> 8) & 15, this.pc + 4 + ((op << 24) >> 23));
      case 0x1c:
        return this.always(this.pc + 4 + ((op << 21) >> 20), 2);
      case 0x1e:
        return this.call(op);
      default:
        return null;
    }
  }

  shift(kind, d, x, by) {
    if (kind === 0) {
      if (by) this.flags.c = `((${x} >>> ${32 - by}) & 1)`;
      this.logical(d, by ? `${x} << ${by}` : x);
    } else if (kind === 1) {
      this.flags.c = `((${x} >>> ${by ? by - 1 : 31}) & 1)`;
      this.logical(d, by ? `${x} >>> ${by}` : '0');
    } else {
      this.flags.c = `((${x} >> ${by ? by - 1 : 31}) & 1)`;
      this.logical(d, `${x} >> ${by || 31}`);
    }
    return this.done(1);
  }

  register(which, d, x, y) {
    switch (which) {
      case 0:
        this.logical(d, `${x} & ${y}`);
        break;
      case 1:
        this.logical(d, `${x} ^ ${y}`);
        break;
      case 2:
      case 3:
      case 4:
        this.shiftBy(which, d, x, y);
        break;
      case 5:
      case 6: {
        const other = which === 5 ? y : this.name(`~${y}`); // x - y - 1 + c is x + ~y + c
        const carry = this.flag('c');
        const sum = this.name(`(${x} >>> 0) + (${other} >>> 0) + ${carry}`);
        const nz = this.name(`${sum} | 0`);
        this.flags = { nz, c: `(${sum} > 0xffffffff ? 1 : 0)`, v: `((${x} ^ ${nz}) & (${other} ^ ${nz}))`, compared: null };
        this.registers.set(d, nz);
        break;
      }
      case 7: {
        const n = this.name(`${y} & 31`);
        const turned = this.name(`${n} ? (${x} >>> ${n}) | (${x} << (32 - ${n})) : ${x}`);
        this.flags.c = this.name(`${y} & 0xff ? ${turned} >>> 31 : ${this.flag('c')}`);
        this.setNZ(turned);
        this.registers.set(d, turned);
        break;
      }
      case 8:
        this.logical(null, `${x} & ${y}`);
        break;
      case 9:
        this.subtracted(d, '0', y);
        break;
      case 10:
        this.subtracted(null, x, y);
        break;
      case 11: {
        const kept = this.registers.get(d);
        this.added(d, x, y);
        if (kept === undefined) this.registers.delete(d);
        else this.registers.set(d, kept);
        break;
      }
      case 12:
        this.logical(d, `${x} | ${y}`);
        break;
      case 13:
        this.logical(d, `Math.imul(${x}, ${y})`);
        break;
      case 14:
        this.logical(d, `${x} & ~${y}`);
        break;
      default:
        this.logical(d, `~${y}`);
    }
    return this.done(1);
  }

  shiftBy(which, d, x, y) {
    const by = this.name(`${y} & 0xff`);
    const carry = this.flag('c');
    if (which === 4) {
      this.flags.c = this.name(`${by} ? (${x} >> Math.min(${by} - 1, 31)) & 1 : ${carry}`);
      this.logical(d, `${x} >> Math.min(${by}, 31)`);
      return;
    }
    const last = which === 2 ? `32 - ${by}` : `${by} - 1`;
    this.flags.c = this.name(`${by} ? (${by} > 32 ? 0 : (${x} >>> (${last})) & 1) : ${carry}`);
    this.logical(d, `${by} > 31 ? 0 : (${x} ${which === 2 ? '<<' : '>>>'} ${by}) | 0`);
  }

  // ADD, CMP, MOV, BX, BLX with all sixteen registers
  highRegisters(op) {
    const m = (op >>> 3) & 15;
    const n = ((op >>> 4) & 8) | (op & 7);
    const y = m === 15 ? `${this.pc + 4}` : this.get(m);
    const which = (op >>> 8) & 3;
    if (which === 1) {
      if (n === 15) return null;
      this.subtracted(null, this.get(n), y);
      return this.done(1);
    }
    if (which === 3) {
      if (!(op & 0x80)) return this.jump(y, 2);
      this.giveUp(`${y} >>> 28 === 15`);
      this.registers.set(14, `${(this.pc + 2) | 1}`);
      this.cycles += 2;
      this.count++;
      this.lines.push(this.leaving(`${y} & ~1`, this.cycles));
      return false;
    }
    const x = which === 2 ? y : this.name(`(${n === 15 ? this.pc + 4 : this.get(n)} + ${y}) | 0`);
    if (n === 15) {
      this.cycles += 2;
      this.count++;
      this.lines.push(this.leaving(`${x} & ~1`, this.cycles));
      return false;
    }
    this.set(n, n === 13 ? `${x} & ~3` : x);
    return this.done(1);
  }

  // ADD SP, SUB SP, PUSH, sign and zero extension
  stackAndExtend(op, d, a) {
    const which = (op >>> 8) & 7;
    const list = op & 0xff;
    if (which === 0) {
      const by = (op & 0x7f) << 2;
      this.set(13, `(${this.get(13)} ${op & 0x80 ? '-' : '+'} ${by}) | 0`);
      return this.done(1);
    }
    if (which === 2) {
      const x = this.get(a);
      this.set(d, [`(${x} << 16) >> 16`, `(${x} << 24) >> 24`, `${x} & 0xffff`, `${x} & 0xff`][(op >>> 6) & 3]);
      return this.done(1);
    }
    if (which !== 4 && which !== 5) return null;
    const registers = listed(list);
    if (op & 0x100) registers.push(14);
    if (!registers.length) return null;
    const base = this.name(`(${this.get(13)} - ${4 * registers.length}) | 0`);
    const names = registers.map((n) => this.get(n));
    const o = this.words(base, registers.length, true);
    names.forEach((name, i) => this.lines.push(`r32[(${o} >> 2) + ${i}] = ${name};`));
    this.registers.set(13, base);
    return this.done(1 + listed(list).length);
  }

  pop(op) {
    if (op === 0xbf00) return this.done(1);
    if ((op & 0x600) !== 0x400) return null;
    const registers = listed(op & 0xff);
    const back = op & 0x100;
    const count = registers.length + (back ? 1 : 0);
    if (!count) return null;
    const base = this.get(13);
    const o = this.words(base, 9, false); // as core.mjs: nine words are there
    let to = '';
    if (back) {
      to = this.name(`r32[(${o} >> 2) + ${count - 1}]`);
      this.giveUp(`${to} >>> 28 === 15`);
    }
    registers.forEach((n, i) => this.registers.set(n, this.name(`r32[(${o} >> 2) + ${i}]`)));
    this.registers.set(13, this.name(`(${base} + ${4 * count}) | 0`));
    if (!back) return this.done(1 + registers.length);
    this.cycles += 3 + registers.length;
    this.count++;
    this.lines.push(this.leaving(`${to} & ~1`, this.cycles));
    return false;
  }

  // STMIA, LDMIA: in RAM
  multiple(op, d8) {
    const registers = listed(op & 0xff);
    const load = op & 0x0800;
    if (!registers.length || (!load && registers.includes(d8))) return null;
    const base = this.get(d8);
    const names = load ? [] : registers.map((n) => this.get(n));
    const o = this.words(base, 8, false);
    if (load) registers.forEach((n, i) => this.registers.set(n, this.name(`r32[(${o} >> 2) + ${i}]`)));
    else {
      this.giveUp(`lines[${o} >> ${LINE}] || lines[${o} + ${4 * registers.length - 1} >> ${LINE}]`);
      names.forEach((name, i) => this.lines.push(`r32[(${o} >> 2) + ${i}] = ${name};`));
    }
    if (!load || !registers.includes(d8)) this.registers.set(d8, this.name(`(${base} + ${4 * registers.length}) | 0`));
    return this.done(1 + registers.length);
  }

  branch(condition, to) {
    if (condition > 13) return null;
    // condition 2k + 1 is the contrary of 2k; those of 8, 10 and 12 stand in the order of CONDITIONS
    const [compared, flags] = CONDITIONS[condition >>> 1];
    let text;
    if (compared && this.flags.compared) {
      const [x, y] = this.flags.compared;
      text = compared.replace(/\bx\b/g, x).replace(/\by\b/g, y);
    } else text = flags.replace(/\b(nz|c|v)\b/g, (name) => this.flag(name));
    const taken = condition & 1 ? `!(${text})` : text;
    this.count++;
    this.lines.push(`if (${taken}) { ${this.leaving(to, this.cycles + 2)} }`);
    this.count--;
    return this.done(1);
  }

  always(to, cycles) {
    this.cycles += cycles;
    this.count++;
    if (to === this.start) {
      this.lines.push(this.leaving(to, this.cycles));
      return false;
    }
    this.pc = to;
    return true;
  }

  call(op) {
    const op2 = this.fetch(this.pc + 2);
    if (op2 === null || op2 >>> 14 !== 3 || !(op2 & 0x1000)) return null;
    const s = (op >>> 10) & 1;
    const i1 = 1 - (s ^ ((op2 >>> 13) & 1));
    const i2 = 1 - (s ^ ((op2 >>> 11) & 1));
    const offset = (-s << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((op2 & 0x7ff) << 1);
    this.registers.set(14, `${(this.pc + 4) | 1}`);
    return this.always(this.pc + 4 + offset, 3);
  }
}

function listed(list) {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((n) => list & (1 << n));
}
