"""What the household sees and presses: which page is on, and what the two buttons do.

A walks through the pages; B does what it says. A request pushes everything aside: first who asks for what, then,
when B has been pressed on exactly that page, the PIN. Without a working display nothing can be agreed to.

Units    ticks are those of time.ticks_ms()
Runs on  both (run() needs MicroPython's asyncio)
"""

import asyncio

from micropython import const

from ..hal.ticks import now_ms, since
from . import pages

_STEP_MS = const(250)
_IDLE_MS = const(60000)
_START_MS = const(3000)
_UNARMED_MS = const(600)  # a press meant for the page before must not answer a request
_PLAIN = {"start": pages.start, "now": pages.now, "today": pages.today, "month": pages.month}
_LISTS = {"trouble": "troubles", "message": "messages", "consent": "consents", "log": "log"}
_NUMBERED = {"trouble": pages.trouble, "message": pages.message, "consent": pages.consent, "log": pages.log}


def _nothing(*_):
    pass


class Ihd:
    """The in-home display. display: has show(page, dim) -> bool (oled.Oled), or None; model: model.Model.

    The app sets the callbacks: on_accept(), on_decline() for a request; on_cancel() for a PIN; on_revoke(key) for a
    consent; on_display(works) when the display stops or starts to answer.
    """

    def __init__(self, display, model, ticks_ms=now_ms) -> None:
        self._display = display
        self._model = model
        self._ticks_ms = ticks_ms
        self.works = None  # not known before the first step
        self.on_accept = self.on_decline = self.on_cancel = self.on_revoke = self.on_display = _nothing
        self._request = self._pin = self._notice = None
        self._read_since = None  # ticks since when the request is really on the display
        self._peek = False
        self._revoking = None  # the consent that B would revoke
        self._stop = ("start", 0)
        self._touched = self._ticks_ms()

    def _since(self, then):
        """Milliseconds from `then` to now; negative when it lies ahead."""
        return since(self._ticks_ms(), then)

    # -- what the app says ----------------------------------------------------------------------------------------

    def ask(self, recipient: str, what_lines: "list | tuple", who_can_read: str) -> None:
        """Show who asks for what (at most two lines) and who will be able to read it, and wait for an answer."""
        self._request = (recipient, tuple(what_lines), who_can_read)
        self._pin = self._notice = self._read_since = None
        self._peek = False

    def show_pin(self, digits: str, code: str, deadline_ticks: int, left: int) -> None:
        """Show the nine digits, the code and the tries left until the deadline."""
        self._pin = (digits, code, deadline_ticks, left)
        self._peek = False

    def notice(self, lines: "list | tuple", seconds: int) -> None:
        """Show up to four lines, the first as headline, for some seconds or until a button; then what was on."""
        self._notice = (tuple(lines), self._ticks_ms(), 1000 * seconds)

    def idle(self) -> None:
        """The request is over: back to the ordinary pages."""
        self._request = self._pin = self._read_since = None
        self._home()

    def _home(self):
        self._stop = ("now", 0)
        self._revoking = None

    # -- what is on -----------------------------------------------------------------------------------------------

    def page(self) -> pages.Page:
        """Return the page that belongs on the display now."""
        self._expire()
        if self._notice:
            return pages.notice(self._notice[0])
        if self._pin and not self._peek:
            digits, code, deadline, left = self._pin
            return pages.pin(digits, code, left, (999 - self._since(deadline)) // 1000)
        if self._request:
            recipient, what, who = self._request
            a, b = ("", "back") if self._peek else ("no", "show PIN") if self._armed() else ("", "")
            return pages.who_asks(recipient, what, who, a, b)
        if self._revoking:
            return pages.revoke(self._revoking)
        return self._ordinary()

    def _expire(self):
        if self._notice and self._since(self._notice[1]) >= self._notice[2]:
            self._notice = None
        if self._pin and self._since(self._pin[2]) >= 0:
            self._pin = self._request = None
            self.notice(("PIN expired", "Nothing was sent.", "Ask again on the website."), 10)
        if self._stop[0] == "start":
            if not self._model.waiting and self._since(self._touched) >= _START_MS:
                self._home()
        elif self._since(self._touched) >= _IDLE_MS:
            self._home()

    def _ordinary(self):
        kind, index = self._stop
        model = self._model
        if kind in _PLAIN:
            return _PLAIN[kind](model)
        things = self._things(kind)
        if kind == "consent" and not things:
            return pages.no_access()
        if kind != "log" and not things:
            self._home()  # what was looked at has gone meanwhile
            return pages.now(model)
        return _NUMBERED[kind](model, min(index, max(len(things) - 1, 0)))

    def _things(self, kind):
        return getattr(self._model, _LISTS[kind])

    def _armed(self):
        return self.works and self._read_since is not None and self._since(self._read_since) >= _UNARMED_MS

    # -- what the buttons do --------------------------------------------------------------------------------------

    def button(self, name: str, kind: str) -> None:
        """Button "A" or "B" was pressed, `kind` "short" or "long" (a long A leads home)."""
        self._touched = self._ticks_ms()
        if self._notice:
            self._notice = None
        elif self._pin:
            self._pressed_at_pin(name)
        elif self._request:
            self._pressed_at_request(name)
        elif self._revoking:
            self._pressed_at_revoke(name, self._revoking)
        elif name == "A":
            self._next(kind == "long")
        else:
            self._second()

    def _pressed_at_pin(self, name):
        if name == "B":
            self._peek = not self._peek
        elif not self._peek:
            self.on_cancel()

    def _pressed_at_request(self, name):
        if self._armed():
            (self.on_accept if name == "B" else self.on_decline)()

    def _pressed_at_revoke(self, name, consent):
        self._revoking = None
        if name == "B":
            self.on_revoke(consent.key)

    def _next(self, home):
        """Button A on the ordinary pages: the next one, round and round."""
        if home:
            self._home()
            return
        stops = [("now", 0), ("today", 0), ("month", 0)]
        for kind in ("trouble", "message", "consent"):
            # messages are read with B, one after the other
            count = len(self._things(kind)) if kind != "message" else min(1, len(self._model.messages))
            stops += [(kind, i) for i in range(max(count, kind == "consent"))]
        stops.append(("log", 0))
        here = (self._stop[0], 0) if self._stop[0] in ("log", "message") else self._stop
        self._stop = stops[(stops.index(here) + 1) % len(stops)] if here in stops else ("now", 0)

    def _second(self):
        """Button B on the ordinary pages: what the page says."""
        kind, index = self._stop
        model = self._model
        if kind in ("now", "today", "month"):
            self._stop = ("trouble" if model.troubles else "message" if model.messages else "consent", 0)
        elif kind in ("log", "message") and index + 1 < len(self._things(kind)):
            self._stop = (kind, index + 1)
        elif kind == "consent" and index < len(model.consents):
            self._revoking = model.consents[index]

    # -- the task -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Bring the display up to date."""
        page = self.page()
        dim = self._model.night and self._stop[0] == "now" and not page.alert and not self._notice
        works = self._display is not None and self._display.show(page, bool(dim))
        if works is not self.works:
            self.works = works
            self.on_display(works)
        reading = works and self._request is not None and not self._notice and not self._pin
        if not reading:
            self._read_since = None
        elif self._read_since is None:
            self._read_since = self._ticks_ms()

    async def run(self) -> None:
        """Redraw what has changed, four times a second, for ever."""
        while True:
            self.step()
            await asyncio.sleep_ms(_STEP_MS)
