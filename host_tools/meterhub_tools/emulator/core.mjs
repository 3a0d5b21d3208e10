// Runs a Cortex-M0+ quickly: the instructions that programs consist of are carried out here, on rp2040js's own registers
// and memories; everything else (exceptions, sleep, special registers, breakpoints) is left to rp2040js.
//
// Cycles are counted as rp2040js counts them. Where it sets a flag otherwise than the architecture says (carry of a shift
// by zero, overflow of ADCS and SBCS at the edges), this follows the architecture.
//
// Source: ARMv6-M Architecture Reference Manual, A6 (encodings, flags)

import { Blocks, C, COUNT, NZ, PC, V, placeOf } from './blocks.mjs';

const RAM = 0x20000000;
const RAM_BYTES = 264 * 1024;
const ROM_BYTES = 16 * 1024;
const PERIPHERALS = 0x40000000;
const SIO = 0xd0000000;

const LINE = 6; // as blocks.mjs looks after RAM

// Returns {run, blocks}. run(until) executes until the virtual time `until` is reached, the core sleeps, or halted() says so;
// it returns the number of instructions. often: how often a place is come to before it is translated (blocks.mjs)
export function fastCore(mcu, clock, halted, often) {
  const { core } = mcu;
  const r = core.registers;
  const flash8 = mcu.flash;
  const flash16 = mcu.flash16;
  const flash32 = new Uint32Array(flash8.buffer);
  const ram8 = mcu.sram;
  const ram16 = new Uint16Array(ram8.buffer);
  const ram32 = new Uint32Array(ram8.buffer);
  const rom32 = mcu.bootrom;
  const rom16 = new Uint16Array(rom32.buffer);

  const blocks = new Blocks(mcu, often);
  const { lines, most, state } = blocks;
  const translated = blocks.run;
  for (const [name, bytes] of [['writeUint8', 1], ['writeUint16', 2], ['writeUint32', 4]]) {
    const write = mcu[name].bind(mcu);
    mcu[name] = (address, value) => {
      write(address, value);
      const at = (address >>> 0) - RAM;
      if (at >= 0 && at < RAM_BYTES && lines[at >>> LINE]) blocks.ramWritten(at, bytes);
    };
  }

  function ioCycles(address, write) {
    if (address >= SIO && address < SIO + 0x10000000) return 0;
    if (address >= PERIPHERALS && address < PERIPHERALS + 0x10000000) return write ? 4 : 3;
    return 1;
  }

  function run(until) {
    let pc = r[15];
    // flags: n and z are those of the number nz; c is 0 or 1, v negative when it is set
    let nz = core.N ? -1 : core.Z ? 0 : 1;
    let c = core.C ? 1 : 0;
    let v = core.V ? -1 : 0;
    let instructions = 0;
    let slow = false; // the instruction at pc is one for rp2040js
    while (!core.waiting && !halted() && clock.nanos < until) {
      const perCycle = 1e9 / mcu.clkSys;
      const start = clock.nanos;
      let cycles = 0;
      if (slow || core.interruptsUpdated) {
        r[15] = pc;
        core.N = nz < 0;
        core.Z = nz === 0;
        core.C = c === 1;
        core.V = v < 0;
        if (slow) {
          cycles = core.executeInstruction();
          instructions++;
          slow = false;
        } else {
          core.checkForInterrupts();
        }
        pc = r[15];
        nz = core.N ? -1 : core.Z ? 0 : 1;
        c = core.C ? 1 : 0;
        v = core.V ? -1 : 0;
      }
      let limit = cycles || core.interruptsUpdated || core.waiting ? 0 : (Math.min(until, clock.next) - start) / perCycle;

      let arrived = true; // pc was jumped to
      while (cycles < limit) {
        if (arrived) {
          arrived = false;
          let place = placeOf(pc);
          if (place >= 0 && (translated[place] !== null || blocks.visit(place, pc)) && cycles + most[place] <= limit) {
            state[NZ] = nz;
            state[C] = c;
            state[V] = v;
            do {
              const taken = translated[place](limit - cycles);
              pc = state[PC] >>> 0;
              cycles += taken < 0 ? ~taken : taken;
              place = taken < 0 ? -1 : placeOf(pc);
            } while (place >= 0 && (translated[place] !== null || blocks.visit(place, pc)) && cycles + most[place] <= limit);
            nz = state[NZ];
            c = state[C];
            v = state[V];
            if (cycles >= limit) break;
          }
        }
        const fetch = pc - RAM;
        let op;
        if (pc >>> 24 === 0x10) op = flash16[(pc & 0xffffff) >>> 1];
        else if (fetch >= 0 && fetch < RAM_BYTES) op = ram16[fetch >>> 1];
        else if (pc < ROM_BYTES) op = rom16[pc >>> 1];
        else {
          slow = true;
          break;
        }
        let next = pc + 2;
        let spent = 1;
        const a = (op >>> 3) & 7;
        const d = op & 7;
        const d8 = (op >>> 8) & 7;
        let address = -1; // of a load or a store
        let kind = 0; // 1 2 4: load so many bytes; -1 -2: the same, signed; 11 12 14: store
        let target = d;

        switch (op >>> 11) {
          case 0x00: { // LSLS immediate, MOVS register
            const by = (op >>> 6) & 31;
            if (by) c = (r[a] >>> (32 - by)) & 1;
            nz = r[a] << by;
            r[d] = nz;
            break;
          }
          case 0x01: { // LSRS immediate
            const by = (op >>> 6) & 31;
            const x = r[a];
            c = (x >>> (by ? by - 1 : 31)) & 1;
            nz = by ? x >>> by : 0;
            r[d] = nz;
            break;
          }
          case 0x02: { // ASRS immediate
            const by = (op >>> 6) & 31 || 32;
            const x = r[a] | 0;
            c = (x >> Math.min(by - 1, 31)) & 1;
            nz = x >> Math.min(by, 31);
            r[d] = nz;
            break;
          }
          case 0x03: { // ADDS, SUBS: register or three bits
            const x = r[a];
            const m = (op >>> 6) & 7;
            const y = op & 0x0400 ? m : r[m];
            if (op & 0x0200) {
              nz = (x - y) | 0;
              c = x >= y ? 1 : 0;
              v = (x ^ y) & (x ^ nz);
            } else {
              nz = (x + y) | 0;
              c = x + y > 0xffffffff ? 1 : 0;
              v = (x ^ nz) & (y ^ nz);
            }
            r[d] = nz;
            break;
          }
          case 0x04: // MOVS
            nz = op & 0xff;
            r[d8] = nz;
            break;
          case 0x05: { // CMP
            const x = r[d8];
            const y = op & 0xff;
            nz = (x - y) | 0;
            c = x >= y ? 1 : 0;
            v = (x ^ y) & (x ^ nz);
            break;
          }
          case 0x06: { // ADDS
            const x = r[d8];
            const y = op & 0xff;
            nz = (x + y) | 0;
            c = x + y > 0xffffffff ? 1 : 0;
            v = (x ^ nz) & (y ^ nz);
            r[d8] = nz;
            break;
          }
          case 0x07: { // SUBS
            const x = r[d8];
            const y = op & 0xff;
            nz = (x - y) | 0;
            c = x >= y ? 1 : 0;
            v = (x ^ y) & (x ^ nz);
            r[d8] = nz;
            break;
          }
          case 0x08:
            if (op & 0x0400) {
              // ADD, CMP, MOV, BX, BLX with all sixteen registers
              const m = (op >>> 3) & 15;
              const n = ((op >>> 4) & 8) | d;
              const y = m === 15 ? pc + 4 : r[m];
              switch ((op >>> 8) & 3) {
                case 0:
                case 2: {
                  const x = op & 0x0200 ? y : ((n === 15 ? pc + 4 : r[n]) + y) >>> 0;
                  if (n === 15) {
                    next = (x & ~1) >>> 0;
                    spent = 2;
                  } else r[n] = n === 13 ? x & ~3 : x;
                  break;
                }
                case 1: {
                  const x = r[n];
                  nz = (x - y) | 0;
                  c = x >= y ? 1 : 0;
                  v = (x ^ y) & (x ^ nz);
                  break;
                }
                default: {
                  if (op & 0x80) r[14] = next | 1;
                  else if (y >>> 28 === 15) slow = true; // the return from an exception
                  next = (y & ~1) >>> 0;
                  spent = 2;
                }
              }
            } else {
              const x = r[d];
              const y = r[a];
              const by = y & 0xff;
              switch ((op >>> 6) & 15) {
                case 0: // ANDS
                  nz = x & y;
                  r[d] = nz;
                  break;
                case 1: // EORS
                  nz = x ^ y;
                  r[d] = nz;
                  break;
                case 2: // LSLS
                  if (by) c = by > 32 ? 0 : (x >>> (32 - by)) & 1;
                  nz = by > 31 ? 0 : (x << by) | 0;
                  r[d] = nz;
                  break;
                case 3: // LSRS
                  if (by) c = by > 32 ? 0 : (x >>> (by - 1)) & 1;
                  nz = by > 31 ? 0 : (x >>> by) | 0;
                  r[d] = nz;
                  break;
                case 4: // ASRS
                  if (by) c = ((x | 0) >> Math.min(by - 1, 31)) & 1;
                  nz = (x | 0) >> Math.min(by, 31);
                  r[d] = nz;
                  break;
                case 5: { // ADCS
                  const sum = x + y + c;
                  nz = sum | 0;
                  c = sum > 0xffffffff ? 1 : 0;
                  v = (x ^ nz) & (y ^ nz);
                  r[d] = nz;
                  break;
                }
                case 6: { // SBCS
                  const difference = x - y - 1 + c;
                  nz = difference | 0;
                  c = difference >= 0 ? 1 : 0;
                  v = (x ^ y) & (x ^ nz);
                  r[d] = nz;
                  break;
                }
                case 7: { // RORS
                  const n = by & 31;
                  nz = n ? (x >>> n) | (x << (32 - n)) : x | 0;
                  if (by) c = nz >>> 31;
                  r[d] = nz;
                  break;
                }
                case 8: // TST
                  nz = x & y;
                  break;
                case 9: // RSBS
                  nz = -y | 0;
                  c = y === 0 ? 1 : 0;
                  v = y & nz;
                  r[d] = nz;
                  break;
                case 10: // CMP
                  nz = (x - y) | 0;
                  c = x >= y ? 1 : 0;
                  v = (x ^ y) & (x ^ nz);
                  break;
                case 11: // CMN
                  nz = (x + y) | 0;
                  c = x + y > 0xffffffff ? 1 : 0;
                  v = (x ^ nz) & (y ^ nz);
                  break;
                case 12: // ORRS
                  nz = x | y;
                  r[d] = nz;
                  break;
                case 13: // MULS
                  nz = Math.imul(x, y);
                  r[d] = nz;
                  break;
                case 14: // BICS
                  nz = x & ~y;
                  r[d] = nz;
                  break;
                default: // MVNS
                  nz = ~y;
                  r[d] = nz;
              }
            }
            break;
          case 0x09: // LDR literal
            address = ((pc + 4) & ~3) + ((op & 0xff) << 2);
            kind = 4;
            target = d8;
            break;
          case 0x0a: // register offset: STR STRH STRB LDRSB
            address = (r[a] + r[(op >>> 6) & 7]) >>> 0;
            kind = (op >>> 9) & 3;
            kind = kind === 0 ? 14 : kind === 1 ? 12 : kind === 2 ? 11 : -1;
            break;
          case 0x0b: // register offset: LDR LDRH LDRB LDRSH
            address = (r[a] + r[(op >>> 6) & 7]) >>> 0;
            kind = (op >>> 9) & 3;
            kind = kind === 0 ? 4 : kind === 1 ? 2 : kind === 2 ? 1 : -2;
            break;
          case 0x0c: // STR
            address = (r[a] + ((op >>> 4) & 0x7c)) >>> 0;
            kind = 14;
            break;
          case 0x0d: // LDR
            address = (r[a] + ((op >>> 4) & 0x7c)) >>> 0;
            kind = 4;
            break;
          case 0x0e: // STRB
            address = (r[a] + ((op >>> 6) & 31)) >>> 0;
            kind = 11;
            break;
          case 0x0f: // LDRB
            address = (r[a] + ((op >>> 6) & 31)) >>> 0;
            kind = 1;
            break;
          case 0x10: // STRH
            address = (r[a] + ((op >>> 5) & 0x3e)) >>> 0;
            kind = 12;
            break;
          case 0x11: // LDRH
            address = (r[a] + ((op >>> 5) & 0x3e)) >>> 0;
            kind = 2;
            break;
          case 0x12: // STR from SP
            address = (r[13] + ((op & 0xff) << 2)) >>> 0;
            kind = 14;
            target = d8;
            break;
          case 0x13: // LDR from SP
            address = (r[13] + ((op & 0xff) << 2)) >>> 0;
            kind = 4;
            target = d8;
            break;
          case 0x14: // ADR
            r[d8] = ((pc + 4) & ~3) + ((op & 0xff) << 2);
            break;
          case 0x15: // ADD from SP
            r[d8] = r[13] + ((op & 0xff) << 2);
            break;
          case 0x16: // ADD SP, SUB SP, PUSH, sign and zero extension; CPS is slow
            switch ((op >>> 8) & 7) {
              case 0:
                r[13] = op & 0x80 ? r[13] - ((op & 0x7f) << 2) : r[13] + ((op & 0x7f) << 2);
                break;
              case 2: {
                const x = r[a];
                const form = (op >>> 6) & 3;
                r[d] = form === 0 ? (x << 16) >> 16 : form === 1 ? (x << 24) >> 24 : form === 2 ? x & 0xffff : x & 0xff;
                break;
              }
              case 4:
              case 5: {
                let count = (op >>> 8) & 1;
                for (let bits = op & 0xff; bits; bits &= bits - 1) count++;
                const base = r[13] - 4 * count;
                if (base < RAM || base + 4 * count > RAM + RAM_BYTES) {
                  slow = true;
                  break;
                }
                let at = (base - RAM) >>> 2;
                for (let i = 0, bits = op & 0xff; bits; i++, bits >>>= 1) {
                  if (bits & 1) {
                    ram32[at++] = r[i];
                    spent++;
                  }
                }
                if (op & 0x100) ram32[at] = r[14];
                if (lines[(base - RAM) >>> LINE] || lines[at >>> (LINE - 2)]) blocks.ramWritten(base - RAM, 4 * count);
                r[13] = base;
                break;
              }
              default:
                slow = true;
            }
            break;
          case 0x17: // POP; REV, BKPT, hints are slow
            if ((op & 0x600) === 0x400) {
              let at = (r[13] - RAM) >>> 2;
              if (r[13] < RAM || r[13] + 36 > RAM + RAM_BYTES) {
                slow = true;
                break;
              }
              if (op & 0x100) {
                let count = 0;
                for (let bits = op & 0xff; bits; bits &= bits - 1) count++;
                const to = ram32[at + count];
                if (to >>> 28 === 15) {
                  slow = true; // the return from an exception
                  break;
                }
                next = (to & ~1) >>> 0;
                spent += 2;
              }
              for (let i = 0, bits = op & 0xff; bits; i++, bits >>>= 1) {
                if (bits & 1) {
                  r[i] = ram32[at++];
                  spent++;
                }
              }
              r[13] = RAM + ((at + ((op >>> 8) & 1)) << 2);
            } else if (op === 0xbf00) {
              // NOP
            } else slow = true;
            break;
          case 0x18: // STMIA
          case 0x19: { // LDMIA
            const base = r[d8];
            const inRam = base >= RAM && base + 32 <= RAM + RAM_BYTES;
            const inFlash = op & 0x0800 && base >>> 24 === 0x10;
            if (base & 3 || !(inRam || inFlash)) {
              slow = true;
              break;
            }
            const memory = inRam ? ram32 : flash32;
            let at = (inRam ? base - RAM : base & 0xffffff) >>> 2;
            const first = at;
            for (let i = 0, bits = op & 0xff; bits; i++, bits >>>= 1) {
              if (bits & 1) {
                if (op & 0x0800) r[i] = memory[at++];
                else memory[at++] = r[i];
                spent++;
              }
            }
            if (!(op & 0x0800) && (lines[first >>> (LINE - 2)] || lines[at >>> (LINE - 2)])) blocks.ramWritten(first << 2, (at - first) << 2);
            if (!(op & 0x0800) || !(op & (1 << d8))) r[d8] = base + ((at - first) << 2);
            break;
          }
          case 0x1a:
          case 0x1b: { // B with a condition; SVC and UDF are slow
            let take;
            switch ((op >>> 8) & 15) {
              case 0:
                take = nz === 0;
                break;
              case 1:
                take = nz !== 0;
                break;
              case 2:
                take = c === 1;
                break;
              case 3:
                take = c === 0;
                break;
              case 4:
                take = nz < 0;
                break;
              case 5:
                take = nz >= 0;
                break;
              case 6:
                take = v < 0;
                break;
              case 7:
                take = v >= 0;
                break;
              case 8:
                take = c === 1 && nz !== 0;
                break;
              case 9:
                take = c === 0 || nz === 0;
                break;
              case 10:
                take = nz < 0 === v < 0;
                break;
              case 11:
                take = nz < 0 !== v < 0;
                break;
              case 12:
                take = nz !== 0 && nz < 0 === v < 0;
                break;
              case 13:
                take = nz === 0 || nz < 0 !== v < 0;
                break;
              default:
                take = false;
                slow = true;
            }
            if (take) {
              next = pc + 4 + ((op << 24) >> 23);
              spent = 2;
            }
            break;
          }
          case 0x1c: // B
            next = pc + 4 + ((op << 21) >> 20);
            spent = 2;
            break;
          case 0x1e: { // BL; barriers, MRS and MSR are slow
            const op2 = pc >>> 24 === 0x10 ? flash16[((pc & 0xffffff) >>> 1) + 1] : fetch >= 0 && fetch < RAM_BYTES ? ram16[(fetch >>> 1) + 1] : 0;
            if (op2 >>> 14 !== 3 || !(op2 & 0x1000)) {
              slow = true;
              break;
            }
            const s = (op >>> 10) & 1;
            const i1 = 1 - (s ^ ((op2 >>> 13) & 1));
            const i2 = 1 - (s ^ ((op2 >>> 11) & 1));
            const offset = (-s << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((op2 & 0x7ff) << 1);
            r[14] = (pc + 4) | 1;
            next = pc + 4 + offset;
            spent = 3;
            break;
          }
          default:
            slow = true;
        }
        if (slow) break;

        if (kind !== 0) {
          const inRam = address - RAM;
          const size = kind > 10 ? kind - 10 : kind < 0 ? -kind : kind;
          if (inRam >= 0 && inRam < RAM_BYTES && (address & (size - 1)) === 0) {
            spent = 2;
            switch (kind) {
              case 4:
                r[target] = ram32[inRam >>> 2];
                break;
              case 14:
                ram32[inRam >>> 2] = r[target];
                break;
              case 1:
                r[target] = ram8[inRam];
                break;
              case 11:
                ram8[inRam] = r[target];
                break;
              case 2:
                r[target] = ram16[inRam >>> 1];
                break;
              case 12:
                ram16[inRam >>> 1] = r[target];
                break;
              case -1:
                r[target] = (ram8[inRam] << 24) >> 24;
                break;
              default:
                r[target] = (ram16[inRam >>> 1] << 16) >> 16;
            }
            if (kind > 10 && lines[inRam >>> LINE]) blocks.ramWritten(inRam, size);
          } else if (address >>> 24 === 0x10 && kind < 10 && (address & (size - 1)) === 0) {
            spent = 2;
            const at = address & 0xffffff;
            if (kind === 4) r[target] = flash32[at >>> 2];
            else if (kind === 1) r[target] = flash8[at];
            else if (kind === 2) r[target] = flash16[at >>> 1];
            else r[target] = kind === -1 ? (flash8[at] << 24) >> 24 : (flash16[at >>> 1] << 16) >> 16;
          } else if (kind < 10 && address < ROM_BYTES && kind === 4 && (address & 3) === 0) {
            spent = 2;
            r[target] = rom32[address >>> 2];
          } else {
            // a peripheral: it may look at the time, set alarms, ask for an interrupt
            if (address & (size - 1)) mcu.logger.error('core', `${address.toString(16)} is not aligned for ${size} bytes`);
            clock.nanos = start + cycles * perCycle;
            spent = 1 + ioCycles(address, kind > 10);
            if (kind === 4) r[target] = mcu.readUint32(address);
            else if (kind === 14) mcu.writeUint32(address, r[target]);
            else if (kind === 1) r[target] = mcu.readUint8(address);
            else if (kind === 11) mcu.writeUint8(address, r[target]);
            else if (kind === 2) r[target] = mcu.readUint16(address);
            else if (kind === 12) mcu.writeUint16(address, r[target]);
            else if (kind === -1) r[target] = (mcu.readUint8(address) << 24) >> 24;
            else r[target] = (mcu.readUint16(address) << 16) >> 16;
            limit = 0;
          }
        }
        if (next - pc !== 2) arrived = true;
        pc = next;
        cycles += spent;
        instructions++;
      }
      clock.advance(start + cycles * perCycle);
    }
    r[15] = pc;
    core.N = nz < 0;
    core.Z = nz === 0;
    core.C = c === 1;
    core.V = v < 0;
    instructions += state[COUNT];
    state[COUNT] = 0;
    return instructions;
  }

  return { run, blocks };
}
