"""A hub as far as the export applet writes: its store is the real one; nothing is signed, shown or sent.

Runs on  both
"""

from meterhub.applets import export
from meterhub.store.journal import Journal
from meterhub.store.record import Record
from meterhub.trust.agreements import Agreements
from meterhub.trust.attempts import Attempts
from meterhub.trust.consents import Consents

_UNTIL = 1 << 32
_KEY = b"k" * 32


class _Attempts(Attempts):
    """Tells what it holds."""

    @property
    def is_open(self):
        return bool(self._state["open"])

    @property
    def died(self):
        return self._state["died"]


class _Identity:
    hub = "HUB"

    def sign(self, typ, claims):
        """Return what is signed, in the way of crypto/steps.py."""
        yield
        return typ


class _Display:
    def idle(self):
        pass

    def notice(self, lines, seconds):
        pass

    def ask(self, *what):
        pass


class _Keys:
    """Of an exchange whose PIN was right."""

    ke = _KEY
    confirm_mine = _KEY


class _Stream:
    chunks = present = 1


class Hub:
    """What app.py makes of the folder `top` at a start. clock: now() -> Unix s"""

    def __init__(self, top, clock):
        self.clock = clock
        self.journal = Journal(top + "/journal", clock)
        self.consents = Consents(Record(top + "/consents"))
        self.attempts = _Attempts(Record(top + "/attempts"), clock.now())
        Agreements(self.consents, self.journal).settle()
        self.identity, self.ihd = _Identity(), _Display()
        self.zone = self
        self.recipients = {"coop": ("Green Co-op", b"")}
        self.export = export.Export(self)

    def send(self, message):
        pass

    def local(self, at):
        return (2026, 9, 21, 0, 0, 0, 0)

    async def do(self, what):
        """Go through a link, the end of an export, or a revocation on the display ("here") or by the website."""
        consent = self.consents.find("coop", "anna")
        if what == "here":
            await self.export.turn(consent)
            return
        names = {"link": "link", "done": "data", "there": "revoke"}
        claims = {"rid": "%d" % self.clock.now(), "sub": "anna", "what": names[what], "mode": "private"}
        claims.update({"regs": ["1-0:1.8.0"], "res": "day", "until": _UNTIL, "from": 0, "to": 86400})
        self.attempts.note(claims["rid"])
        request = export._Request("coop", claims, _KEY)
        if what == "there":
            await self.export._revoke_there(request)
        else:
            await self.link_or_fetch(request)

    async def link_or_fetch(self, request):
        """Agree, prove, and be done."""
        self.export._stream = lambda request: _Stream()  # there is no history
        await self.export._ask(request)
        request.state = "offered"
        self.attempts.spend(self.clock.now())
        await self.export._proved(request, _Keys)
        if request.claims["what"] == "data":
            message = {"rid": request.rid, "mac": export.mhx.done_mac(request.ck, 1)}
            await self.export._on_done(message)
