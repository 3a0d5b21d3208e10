"""What the household sees and presses: which page is on, and what the two buttons do.

A walks through the pages; B does what it says. A request pushes everything aside: first who asks for what, then,
when B has been pressed on exactly that page, the PIN. Without a working display nothing can be agreed to.

On a display that shows a page in several leaves B turns them, each only after it has been on the display, and does
what it says on the last one: who has not been shown everything cannot agree to it.

A message that wants an answer shows itself when nothing else is on, for a minute. Where the household has a PIN, what
decides something waits until it has been typed.

Units    ticks are those of time.ticks_ms()
Runs on  both (run() needs MicroPython's asyncio)
"""

import asyncio

from micropython import const

from .. import lazy
from ..hal.ticks import age, now_ms, since
from . import pages

_STEP_MS = const(250)
_IDLE_MS = const(60000)
_START_MS = const(3000)
_QUIET_MS = const(3000)  # nobody presses: a message may show itself
_UNARMED_MS = const(600)  # a press meant for the page before must not answer a request
_HOME = const(("now", 0))
_DAILY = {"now": pages.now, "today": pages.today, "month": pages.month}
_SELDOM = const(("reading", "asking", "messages", "pin_entry", "voltage_pages"))


def _nothing(*_):
    pass


class Ihd:
    """The in-home display. display: a driver.Driver, or None; model: model.Model.

    The app sets the callbacks: on_accept(), on_decline() for a request; on_cancel() for a PIN; on_revoke(key) for a
    consent; on_supply() to turn the supply on; on_notice(id, decision) for a message, "later" when it was left alone;
    on_display(works) when the display stops or starts to answer. guard: the household's PIN
    (trust.household_pin.HouseholdPin), None for none.
    """

    def __init__(self, display, model, ticks_ms=now_ms) -> None:
        self._display = display
        self._model = model
        self._ticks_ms = ticks_ms
        self.works = None  # not known before the first step
        self.on_accept = self.on_decline = self.on_cancel = self.on_revoke = self.on_display = _nothing
        self.on_supply = self.on_notice = _nothing
        self.guard = None
        self._entry = None  # pin_entry.PinEntry
        self._opened: "tuple | None" = None  # (id of a message, whether it shows itself)
        self._request: "tuple | None" = None
        self._pin: "tuple | None" = None
        self._notice: "tuple | None" = None
        self._peek = False
        self._revoking: "tuple | None" = None  # the consent (model.Consent) that B would revoke
        self._stop = ("start", 0)
        self._touched = self._ticks_ms()
        self._on = None  # the scene that was shown last, its leaf, and the ticks since when it is really there
        self._leaf = 0
        self._on_since = None
        self._loaded = False  # modules of pages that are seldom needed

    def _untouched_ms(self):
        return age(self._ticks_ms(), self._touched)

    def _since(self, then):
        """Milliseconds from `then` to now; negative when it lies ahead."""
        return since(self._ticks_ms(), then)

    # -- what the app says ----------------------------------------------------------------------------------------

    def ask(self, recipient: str, what_lines: "list | tuple", who_can_read: str) -> None:
        """Show who asks for what (at most two lines) and who will be able to read it, and wait for an answer.

        A recipient whose name this display cannot show can only be declined.
        """
        readable = self._display is None or self._display.readable(recipient)
        self._request = (recipient, tuple(what_lines), who_can_read if readable else "name not readable", readable)
        self._pin = self._notice = self._entry = None
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
        self._request = self._pin = None
        self._home()

    def decide(self, action) -> None:
        """Do action(), which decides something: at once, or when the household's PIN has been typed."""
        if self.guard is None:
            action()
            return
        locked_s = self.guard.locked_s()
        if locked_s:
            self._entry = None
            self.notice(("locked", "Wrong PIN too often.", "Try in %d min." % ((locked_s + 59) // 60)), 8)
            return
        from . import pin_entry  # noqa: PLC0415 - few have one, and type it seldom

        self._loaded = True
        self._entry = pin_entry.PinEntry(action, self.guard.left)

    def _home(self):
        self._stop = _HOME
        self._revoking = self._opened = self._entry = None

    # -- what is on -----------------------------------------------------------------------------------------------

    def page(self) -> pages.Page:
        """Return the page that belongs on the display now."""
        self._expire()
        scene = self._scene()
        if self._entry is not None and scene is self._entry:
            return self._entry.page()
        if scene is self._opened:
            page = self._message_page(scene)
            if page:
                return page
            self._home()
            scene = self._stop
        if scene is not self._stop:
            return self._asking()
        if self._stop[0] not in _DAILY:
            page = self._reading().shown(self._model, self._stop)
            if page:
                return page
            self._home()
        return _DAILY[self._stop[0]](self._model)

    def _scene(self) -> tuple:
        """What is on: the object that says so, another one for each time."""
        aside = self._notice or self._entry or (not self._peek and self._pin) or self._request
        return aside or self._revoking or self._opened or self._stop  # pyright: ignore[reportReturnType]

    def _asking(self):
        from . import asking  # noqa: PLC0415 - most of the time nobody asks

        self._loaded = True
        scene = self._scene()
        if scene is self._notice:
            return asking.notice(scene[0])
        if scene is self._pin:
            digits, code, deadline, left = scene
            return asking.pin(digits, code, left, (999 - self._since(deadline)) // 1000)
        if scene is self._request:
            recipient, what, who, readable = scene
            a = "no" if self._armed() and not self._peek else ""
            b = "back" if self._peek else "show PIN" if a and readable else ""
            return asking.who_asks(recipient, what, who, a, b)
        return asking.revoke(scene)

    def _choices(self, message, opened):
        """Return whether a message can be read here, and what the buttons do at it."""
        from . import messages  # noqa: PLC0415 - most of the time there is none

        self._loaded = True
        words = (message.title, message.sender, message.text)
        readable = self._display is None or all([self._display.readable(text) for text in words])
        return readable, messages.choices(message, opened[1], readable, self._at_the_end(_UNARMED_MS))

    def _message_page(self, opened):
        message = self._model.message(opened[0])
        if message is None:
            return None
        readable, choices = self._choices(message, opened)
        from . import messages  # noqa: PLC0415

        return messages.opened(message, choices, self._model.now, readable)

    def _reading(self):
        from . import reading  # noqa: PLC0415 - most of the time nobody walks through the pages

        self._loaded = True
        return reading

    def _let_go(self):
        """Back at the page that is on all day: what only other pages need gives its memory back."""
        self._loaded = False
        names = _SELDOM + (self._display.seldom if self._display else ())
        lazy.let_go(["meterhub.ihd." + name for name in names])

    def _expire(self):
        if self._notice and self._since(self._notice[1]) >= self._notice[2]:
            self._notice = None
        if self._pin and self._since(self._pin[2]) >= 0:
            self._pin = self._request = None
            self.notice(("PIN expired", "Nothing was sent.", "Ask again on the website."), 10)
        if self._stop[0] == "start":
            if not self._model.waiting and self._untouched_ms() >= _START_MS:
                self._home()
        elif self._untouched_ms() >= _IDLE_MS:
            if self._opened and self._opened[1]:
                self.on_notice(self._opened[0], "later")
            self._home()
        if self._model.alert and self._scene() == _HOME and self._untouched_ms() >= _QUIET_MS:
            self._opened = (self._model.alert, True)
            self._touched = self._ticks_ms()

    # -- leaves ---------------------------------------------------------------------------------------------------

    def _shown_ms(self):
        """Milliseconds since which this leaf of what is on has been on the display; -1 when it is not."""
        if self._on_since is None or self._scene() is not self._on:
            return -1
        return age(self._ticks_ms(), self._on_since)

    def _armed(self):
        """True when a press can mean the request."""
        return self._scene() is self._on and (self._leaf > 0 or self._shown_ms() >= _UNARMED_MS)

    def _at_the_end(self, for_ms):
        """True when all leaves have been shown, the last one `for_ms` at least."""
        return self._display is not None and self._shown_ms() >= for_ms and self._leaf + 1 >= self._display.leaves

    def _turned(self):
        """Turn a leaf, if there is one; return True when that is all that B does now."""
        if self._display is None or self._display.leaves < 2 or self._scene() is not self._on:
            return False
        if self._on is self._entry:  # what else its page says is not needed to type a PIN
            return False
        last = self._leaf + 1 >= self._display.leaves
        if last and self._on is not self._pin:  # the PIN's leaves go round
            return False
        if self._armed() or self._on is not self._request:
            self._turn(0 if last else self._leaf + 1)
        return True

    def _turn(self, leaf):
        if self._shown_ms() >= 0:
            self._leaf = leaf
            self._on_since = None

    # -- what the buttons do --------------------------------------------------------------------------------------

    def button(self, name: str, kind: str) -> None:
        """Button "A" or "B" was pressed, `kind` "short" or "long" (a long A leads home)."""
        self._touched = self._ticks_ms()
        if name == "B" and self._turned():
            return
        scene = self._scene()
        if scene is self._notice:
            self._notice = None
        elif scene is self._entry:
            self._pressed_at_entry(name, kind, scene)
        elif scene is self._opened:
            self._pressed_at_message(name, kind, scene)
        elif scene is self._stop:
            self._pressed(name, kind)
        elif scene is self._revoking:
            self._pressed_at_revoke(name, scene)
        elif self._pin:
            self._pressed_at_pin(name)
        else:
            self._pressed_at_request(name, scene)

    def _pressed_at_pin(self, name):
        if name == "B":
            self._peek = not self._peek
        elif not self._peek:
            self.on_cancel()

    def _pressed_at_request(self, name, request):
        if name == "A" and self._armed():
            self.decide(self.on_decline)
        elif name == "B" and request[3] and self._at_the_end(_UNARMED_MS):
            self.decide(self.on_accept)

    def _pressed_at_revoke(self, name, consent):
        if name == "A":
            self._revoking = None
        elif self._at_the_end(0):
            self._revoking = None
            self.decide(lambda: self.on_revoke(consent.key))

    def _pressed_at_message(self, name, kind, opened):
        """Decide, or leave it as it is (a long A)."""
        message = self._model.message(opened[0])
        if message is None or (name == "A" and kind == "long"):
            self._left(opened)
        elif name == "B" and self._at_the_end(_UNARMED_MS):
            self._decided(message, opened, 2)
        elif name == "A" and self._armed():
            self._decided(message, opened, 0)

    def _decided(self, message, opened, button):
        """Do what a button (0: A, 2: B) says at a message."""
        decision = self._choices(message, opened)[1][button + 1]
        if decision == "later":
            self._left(opened)
        elif decision in ("read", "save"):
            self._send(message.id, decision)
        elif decision:
            self.decide(lambda: self._send(message.id, decision))

    def _send(self, number, decision):
        self._opened = None
        self.on_notice(number, decision)

    def _left(self, opened):
        self._home()
        if opened[1]:
            self.on_notice(opened[0], "later")

    def _pressed_at_entry(self, name, kind, entry):
        if name == "A" and kind == "long":
            self._entry = None
            return
        pin = entry.press(name)
        if not pin:
            return
        self._entry = None
        if self.guard is None or self.guard.check(pin):
            entry.action()
            return
        left = self.guard.left
        self.decide(entry.action)  # again, or locked
        if left:
            self.notice(("wrong PIN", "last try" if left == 1 else "%d tries left" % left), 4)

    def _pressed(self, name, kind):
        """Walk through the ordinary pages."""
        if name == "A" and kind == "long":
            self._home()
        elif name == "A":
            self._stop = self._reading().following(self._model, self._stop)
        else:
            stop = self._reading().second(self._model, self._stop)
            if stop[0] == "revoke":
                self._revoking = self._model.consents[stop[1]]
            elif stop == ("supply", 2):
                self._stop = ("supply", 0)
                self.decide(self.on_supply)
            elif stop[0] == "opened":
                self._opened = (stop[1], False)
                self.on_notice(stop[1], "read")
            else:
                self._stop = stop

    # -- the task -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Bring the display up to date."""
        page = self.page()
        scene = self._scene()
        if scene is not self._on or not self.works:
            self._on, self._leaf, self._on_since = scene, 0, None
        dim = self._model.night and scene is self._stop and scene[0] == "now"
        display = self._display
        works = display is not None and display.show(page, bool(dim), self._leaf)
        if works is not self.works:
            self.works = works
            self.on_display(works)
        if not works:
            self._on_since = None
        elif self._on_since is None:
            self._on_since = self._ticks_ms()
        if display is not None:
            self._leaf = min(self._leaf, display.leaves - 1)  # the page may have become shorter
        if self._loaded and scene == _HOME:
            self._let_go()

    async def run(self) -> None:
        """Redraw what has changed, four times a second, for ever."""
        while True:
            self.step()
            await asyncio.sleep_ms(_STEP_MS)
