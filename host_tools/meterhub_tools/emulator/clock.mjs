// Virtual time in nanoseconds, with the interface that rp2040js wants of a clock: nanos, micros, createAlarm().

class Alarm {
  constructor(clock, callback) {
    this.clock = clock;
    this.callback = callback;
    this.nanos = Infinity;
  }

  schedule(delta) {
    this.cancel();
    this.nanos = this.clock.nanos + delta;
    const { alarms } = this.clock;
    let at = alarms.length; // the soonest is last; of two at the same time the one that was set first comes first
    while (at > 0 && alarms[at - 1].nanos <= this.nanos) at--;
    alarms.splice(at, 0, this);
    this.clock.next = alarms[alarms.length - 1].nanos;
  }

  cancel() {
    if (this.nanos === Infinity) return;
    const { alarms } = this.clock;
    alarms.splice(alarms.indexOf(this), 1);
    this.nanos = Infinity;
    this.clock.next = alarms.length ? alarms[alarms.length - 1].nanos : Infinity;
  }
}

export class Clock {
  constructor() {
    this.nanos = 0;
    this.next = Infinity; // when the next alarm is due
    this.alarms = [];
  }

  get micros() {
    return this.nanos / 1000;
  }

  createAlarm(callback) {
    return new Alarm(this, callback);
  }

  // Go on to `nanos` and let the alarms ring that are due on the way, each at its own time.
  advance(nanos) {
    while (this.next <= nanos) {
      const alarm = this.alarms[this.alarms.length - 1];
      this.nanos = Math.max(this.nanos, alarm.nanos);
      alarm.cancel();
      alarm.callback();
    }
    this.nanos = Math.max(this.nanos, nanos);
  }
}
