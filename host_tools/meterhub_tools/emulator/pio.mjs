// A PIO block whose state machines step in virtual time: one turn a cycle of a machine's divided clock, none while it is
// stalled; what may end the stall (a register that is read or written, a pin that changes) gives it a turn again.
//
// Source: RP2040 datasheet 3.5.5 (clock dividers), 3.5.7 (forced instructions do not wait for the divided clock)

const ROUNDING_NANOS = 1; // less than the shortest cycle

// Takes the stepping of `pio`, one of rp2040js's, over. Returns wake(): to be called when a pin has changed.
export function stepInTime(pio, clock) {
  const { machines } = pio;
  const alarms = machines.map((machine, i) => clock.createAlarm(() => turn(machine, i)));

  function plan(machine, i, cycles) {
    const nanos = (((machine.clockDivInt || 65536) + machine.clockDivFrac / 256) * 1e9) / pio.rp2040.clkSys;
    const cycle = Math.floor((clock.nanos + ROUNDING_NANOS) / nanos);
    alarms[i].schedule((cycle + cycles) * nanos - clock.nanos);
  }

  function turn(machine, i) {
    if (!machine.enabled) return;
    const stalled = machine.waiting;
    const before = machine.cycles;
    if (stalled) machine.checkWait();
    else machine.step();
    pio.checkChangedPins();
    if (!machine.waiting) plan(machine, i, machine.cycles - before + (stalled ? 1 : 0)); // with the instruction's delay
    wake((other) => !other.waiting); // one that this one has let go on
  }

  function wake(fits = () => true) {
    machines.forEach((machine, i) => {
      if (machine.enabled && alarms[i].nanos === Infinity && fits(machine)) plan(machine, i, 1);
    });
  }

  pio.run = () => {};
  for (const name of ['readUint32', 'writeUint32']) {
    const access = pio[name].bind(pio);
    pio[name] = (...words) => {
      const value = access(...words);
      wake();
      return value;
    };
  }
  return () => wake();
}
