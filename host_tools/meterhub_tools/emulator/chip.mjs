// One RP2040 from power-on to power-off or reset: rp2040js, with what it lacks or does otherwise than the chip.
//
//   USB receive    rp2040js answers every poll with an empty packet, for ever; here the chip hears nothing until there is something
//   UART transmit  its interrupt comes once for what was sent, not for ever; the receiver counts what it had no room for
//   watchdog       resets the chip and keeps its scratch registers and the reason, as machine.reset() wants it, too
//   pull-ups       an input that nothing drives follows its pull
//   PIO            its state machines step in the chip's own time, at their divided clock (pio.mjs)
//   I2C            takes the time that the bus takes, and only devices that are there answer
//   random bits    of the ring oscillator, from a seed: the same board has the same ones again
//   flash          erased and programmed by the boot ROM's traps, in the time that the flash chip takes
//
// Source: RP2040 datasheet 2.8.3, 2.15.7 (random bit), 4.2.7, 4.3, 4.7; W25Q16JV datasheet (typical times)

import { pathToFileURL } from 'node:url';
import { fastCore } from './core.mjs';
import { stepInTime } from './pio.mjs';

const { BasePeripheral, GPIOPinState, RP2040, USBCDC } = await import(
  pathToFileURL(`${process.env.METERHUB_RP2040JS}/dist/esm/index.js`)
);

export const FLASH_BYTES = 2 * 1024 * 1024;
const CORE = 'CortexM0Core'; // rp2040js's name for it
const SECTOR = 4096;
const PAGE = 256;
const ERASE_NANOS = 45e6;
const PROGRAM_NANOS = 0.4e6;

const WATCHDOG = 0x40058;
const ROSC = 0x40060;
const VREG = 0x40064;
const RANDOM_BIT = 0x1c;
const UART_DATA = 0;
const UART_TRANSMITTED = 1 << 5;
const UART_FIFO_BYTES = 32;
const I2C_TX_EMPTY = 1 << 4;

class RingOscillator extends BasePeripheral {
  constructor(mcu, random) {
    super(mcu, 'ROSC');
    this.random = random;
    this.registers = new Map();
  }

  readUint32(offset) {
    return offset === RANDOM_BIT ? this.random() & 1 : this.registers.get(offset) ?? 0;
  }

  writeUint32(offset, value) {
    this.registers.set(offset, value);
  }
}

export class Chip {
  // flash: 2 MB that outlive the chip; world: what is around it (see World in run.mjs)
  constructor(rom, flash, clock, world, kept) {
    this.clock = clock;
    this.world = world;
    this.flash = flash;
    this.stopped = false;
    this.mcu = new RP2040(clock);
    this.mcu.logger = this;
    this.mcu.loadBootrom(new Uint32Array(rom.buffer, rom.byteOffset, rom.byteLength / 4));
    this.mcu.flash.set(flash);
    this.mcu.core.reset();
    this.mcu.onBreak = (number) => this.trap(number);
    const { run, blocks } = fastCore(this.mcu, clock, () => this.stopped);
    this.run = run;
    this.blocks = blocks;
    this.addRandom();
    this.addWatchdog(kept);
    this.addUSB();
    this.mcu.uart.forEach((uart, id) => this.addUART(uart, id));
    this.mcu.i2c.forEach((bus, id) => this.addI2C(bus, id));
    this.mcu.spi.forEach((bus, id) => this.addSPI(bus, id));
    this.wakePIO = this.mcu.pio.map((pio) => stepInTime(pio, clock));
    this.mcu.gpio.forEach((pin, gpio) => this.addPin(pin, gpio));
  }

  // -- the chip's own ------------------------------------------------------------------------------------------------

  addRandom() {
    this.mcu.peripherals[ROSC] = new RingOscillator(this.mcu, this.world.random);
    this.mcu.peripherals[VREG] = new RingOscillator(this.mcu, this.world.random); // registers that remember, no more
  }

  addWatchdog(kept) {
    this.watchdog = this.mcu.peripherals[WATCHDOG];
    if (kept) {
      this.watchdog.scratchData.set(kept.scratch);
      this.watchdog.reason = kept.reason;
    }
    this.watchdog.onWatchdogTrigger = () => {
      this.watchdog.alarm.enable = false; // or it would ring again at once, for ever
      this.end('reset');
    };
  }

  get kept() {
    return { scratch: this.watchdog.scratchData, reason: this.watchdog.reason };
  }

  // What rp2040js remarks on: an instruction that there is none, an address where nothing is or that is not aligned. The
  // chip's answer is a HardFault, and that is the end of a program.
  error(part, text) {
    this.fault(`${part}: ${text}`);
  }

  warn(part, text) {
    if (part === CORE) this.error(part, text);
  }

  info() {}

  debug() {}

  fault(text) {
    if (this.stopped) return;
    const { PC, LR } = this.mcu.core;
    this.world.tell({ ev: 'fault', says: `${text} (pc ${PC.toString(16)}, lr ${LR.toString(16)})` });
    this.end('fault');
  }

  // Stop for good. why: "reset", "bootloader", "cut", "fault"
  end(why) {
    if (this.stopped) return;
    this.stopped = true;
    this.world.ended(why);
  }

  trap(number) {
    const [r0, r1, r2] = this.mcu.core.registers;
    if (number === 2) this.each(r0, r1, SECTOR, (at) => this.erase(at));
    else if (number === 3) this.each(r0, r2, PAGE, (at) => this.program(at, (r1 + at - r0) >>> 0));
    else if (number === 4) this.end('bootloader');
    else if (number === 5) this.fault('the boot ROM has not what was called');
    else if (number !== 1) this.fault(`breakpoint ${number}`);
  }

  // -- flash ---------------------------------------------------------------------------------------------------------

  each(offset, bytes, size, work) {
    for (let at = offset; at < offset + bytes && !this.stopped; at += size) work(at);
  }

  erase(at) {
    const bytes = this.world.flashOperation('erase', SECTOR);
    this.flash.fill(0xff, at, at + bytes);
    this.mcu.flash.fill(0xff, at, at + bytes);
    this.blocks.flashWritten(at);
    this.flashDone(bytes === SECTOR, ERASE_NANOS);
  }

  program(at, source) {
    const bytes = this.world.flashOperation('program', PAGE);
    for (let i = 0; i < bytes; i++) {
      this.flash[at + i] &= this.mcu.readUint8(source + i);
      this.mcu.flash[at + i] = this.flash[at + i];
    }
    this.blocks.flashWritten(at);
    this.flashDone(bytes === PAGE, PROGRAM_NANOS);
  }

  flashDone(whole, nanos) {
    if (this.world.flashTakesTime) this.clock.advance(this.clock.nanos + nanos);
    if (!whole || this.world.cutNow()) this.end('cut');
  }

  // -- USB serial ----------------------------------------------------------------------------------------------------

  addUSB() {
    const { usbCtrl } = this.mcu;
    this.cdc = new USBCDC(usbCtrl);
    this.connected = false;
    this.wanted = null; // so many bytes the chip would take now
    usbCtrl.onEndpointRead = (endpoint, size) => {
      if (endpoint === this.cdc.outEndpoint) this.wanted = size;
      this.pump();
    };
    this.cdc.onSerialData = (bytes) => this.world.usbSent(bytes);
    this.cdc.onDeviceConnected = () => {
      this.connected = true;
      this.cdc.cdcSetControlLineState(this.world.portIsOpen() ? 3 : 0);
      this.world.usbConnected();
    };
  }

  // The port was opened or closed at the other end.
  portChanged(open) {
    if (this.connected) this.cdc.cdcSetControlLineState(open ? 3 : 0);
  }

  // Hand over what has come for the chip, as far as it wants it.
  pump() {
    const waiting = this.world.usbWaiting;
    if (this.wanted === null || !waiting.length) return;
    const bytes = waiting.splice(0, Math.min(this.wanted, waiting.length));
    this.wanted = null;
    this.mcu.usbCtrl.endpointReadDone(this.cdc.outEndpoint, Uint8Array.from(bytes));
  }

  // -- UART ----------------------------------------------------------------------------------------------------------

  addUART(uart, id) {
    uart.checkInterrupts = () => this.mcu.setInterrupt(uart.irq, !!(uart.interruptStatus & uart.interruptMask));
    const write = uart.writeUint32.bind(uart);
    uart.writeUint32 = (offset, value) => {
      write(offset, value);
      if (offset === UART_DATA) {
        uart.interruptStatus |= UART_TRANSMITTED;
        uart.checkInterrupts();
      }
    };
    uart.onByte = (byte) => this.world.uartSent(id, byte);
  }

  // How long one byte takes on this line; a line that is switched off takes 115200 baud.
  byteNanos(id) {
    const uart = this.mcu.uart[id];
    if (!uart.enabled || !uart.baudDivider) return (10 / 115200) * 1e9;
    const parity = uart.lineCtrlRegister & 2 ? 1 : 0;
    const stop = uart.lineCtrlRegister & 8 ? 2 : 1;
    return ((1 + uart.wordLength + parity + stop) / uart.baudRate) * 1e9;
  }

  // A byte has come on the line. False when it is lost: nobody listens, or the receiver is full.
  receive(id, byte) {
    const uart = this.mcu.uart[id];
    if (!uart.enabled || !uart.rxEnabled || uart.rxFIFO.itemCount >= UART_FIFO_BYTES) return false;
    uart.feedByte(byte & ((1 << uart.wordLength) - 1));
    return true;
  }

  // -- I2C, SPI ------------------------------------------------------------------------------------------------------

  addI2C(bus, id) {
    const bits = (count, then) => {
      const hz = this.mcu.clkSys / (bus.sclHighPeriod + bus.sclLowPeriod);
      const alarm = this.clock.createAlarm(then);
      alarm.schedule((count / hz) * 1e9);
    };
    let transfer = null;
    const told = () => {
      if (transfer) this.world.i2cWritten(id, transfer.address, transfer.bytes);
      transfer = null;
    };
    bus.onStart = () => {
      told(); // a repeated start ends what was before
      bits(1, () => bus.completeStart());
    };
    bus.onConnect = (address, mode) => {
      const there = this.world.isOnBus(id, address);
      transfer = there && mode === 0 ? { address, bytes: [] } : null;
      bits(9, () => {
        bus.completeConnect(there);
        if (!there) bus.setInterrupts(I2C_TX_EMPTY); // what was to be sent has been thrown away
      });
    };
    bus.onWriteByte = (byte) => {
      transfer?.bytes.push(byte);
      bits(9, () => bus.completeWrite(true));
    };
    bus.onReadByte = () => bits(9, () => bus.completeRead(0xff));
    bus.onStop = () => {
      told();
      bits(1, () => bus.completeStop());
    };
  }

  addSPI(bus, id) {
    bus.onTransmit = (value) => {
      this.world.spiSent(id, value);
      bus.completeTransmit(0);
    };
  }

  // -- pins ----------------------------------------------------------------------------------------------------------

  addPin(pin, gpio) {
    pin.addListener((state) => this.pinChanged(pin, gpio, state));
    this.level(gpio);
  }

  pinChanged(pin, gpio, state) {
    if (state === GPIOPinState.Low || state === GPIOPinState.High) {
      this.world.pinDriven(gpio, state === GPIOPinState.High ? 1 : 0);
    } else {
      this.world.pinDriven(gpio, null);
    }
    this.level(gpio);
  }

  // Let an input see what is there: what drives it from outside, else its own output, else its pull.
  level(gpio) {
    const pin = this.mcu.gpio[gpio];
    const outside = this.world.drives(gpio);
    const high =
      outside !== undefined ? !!outside : pin.outputEnable ? pin.outputValue : pin.pullupEnabled && !pin.pulldownEnabled;
    if (high === pin.rawInputValue) return;
    pin.setInputValue(high);
    for (const wake of this.wakePIO) wake();
  }
}
