"""The key ceremony: a hub on the cable becomes the operator's, step by step; each is safe to be done again.

  cable         the hub answers, and says who it is
  clock         it gets this computer's time
  identity      it proves that it holds the key behind its id: it signs a number that was drawn just now
  certificate   the root signs that this hub is its own; a hub of another owner takes that from its old root only
  settings      checked by the hub, then signed, and installed together with the CA
  registry      the hub is written down
  online        it restarts and reaches its broker, or says at which step it fails

Whatever the hub has taken, it says in its next "hello": a run that was cut off is completed by the next.

Errors   ToolError, beginning with the name of the step that failed.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..board.port import Line
from ..errors import ToolError
from . import documents, online, registry, session
from .keys import Root
from .wishes import Wishes

from meterhub.codec import base64url  # isort: skip

_NONCE_BYTES = 32
_SIGNATURE_S = 30  # a small board works for seconds on a signature
Tell = Callable[[str, str], None]  # (step, what came of it)


class StepError(ToolError):
    """A step of the ceremony that has failed."""

    def __init__(self, step: str, says: str) -> None:
        super().__init__(f"{step}: {says}")
        self.step = step
        self.says = says


class Ceremony:
    """One hub's. root: who is to own it; before: the root of who hands it over; book: the registry's file."""

    def __init__(self, wishes: Wishes, root: Root, before: Root | None, book: Path, tell: Tell) -> None:
        self._wishes = wishes
        self._root = root
        self._before = before
        self._book = book
        self._tell = tell
        self._hello: dict = {}
        self._entry: registry.Entry | None = None  # what the registry has said of this hub so far
        self._ours = False  # whether that still holds, under this root
        self._key = b""
        self._token = ""  # the certificate
        self._seq = 0
        self._document: dict = {}

    def run(self, patience_s: float) -> dict:
        """Do all steps; return the facts of the hub. patience_s: for the last of them."""
        with self._step("cable"), Line(self._wishes.port) as line:
            self._hello = line.hub
            self._tell("cable", "hub {hub} on {board}, firmware {version}".format(**self._hello))
            for name in ("clock", "identity", "certificate", "settings"):
                with self._step(name):
                    self._tell(name, getattr(self, "_" + name)(line))
        with self._step("registry"):
            self._tell("registry", self._write_down())
        with self._step("online"):
            self._tell("online", self._online(patience_s))
        return {"hub": self._hello["hub"], "name": self._wishes.name, "board": self._hello["board"], "seq": self._seq}

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        try:
            yield
        except StepError:
            raise
        except ToolError as error:
            raise StepError(name, str(error)) from None

    # -- the steps; each returns what came of it, in words -------------------------------------------

    def _clock(self, line: Line) -> str:
        return session.set_clock(line, self._hello)

    def _identity(self, line: Line) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        token = line.ask("prove", patience_s=_SIGNATURE_S, nonce=base64url.encode(nonce))["token"]
        hub, self._key = documents.check_proof(token, nonce)
        if hub != self._hello["hub"]:
            raise ToolError(
                f"the board says it is hub {self._hello['hub']}, but its key is that of {hub}; do not use it"
            )
        self._look_up(hub)
        self._refuse_strangers()
        return f"hub {hub} holds its key"

    def _look_up(self, hub: str) -> None:
        with registry.open_for_writing(self._book) as book:
            self._entry = book.hub(hub)
            vouched = self._entry is not None and not book.why_not(hub, self._key)
        self._ours = bool(vouched and self._entry and self._root.kid == self._entry.root == self._hello["root"])
        self._seq = max(self._hello["seq"], self._entry.seq if self._entry else 0)

    def _refuse_strangers(self) -> None:
        """Raise ToolError when the hub belongs to somebody who has not handed it over."""
        owner = self._hello["root"]
        if not owner or owner == self._root.kid or (self._before and owner == self._before.kid):
            return
        raise ToolError(
            f"this hub belongs to root {owner}, yours is {self._root.kid}; either its owner hands it over with "
            "--handover OLD_KEYS_DIR, or hold button A for 5 s while the hub is switched on, which wipes it"
        )

    def _certificate(self, line: Line) -> str:
        if self._ours and self._entry and self._entry.name == self._wishes.name:
            self._token = self._entry.certificate
            return f"root {self._root.kid} owns it already"
        if self._before and self._hello["root"] == self._before.kid != self._root.kid:
            self._own(line, self._before)
        self._own(line, self._root)
        return f"root {self._root.kid} owns it"

    def _own(self, line: Line, signer: Root) -> None:
        """Give the hub a certificate that `signer` has signed: the old root hands over, the new one confirms."""
        self._seq += 1
        hub, now = self._hello["hub"], int(time.time())
        self._token = documents.certificate(signer, self._root, hub, self._key, self._seq, self._wishes.name, now)
        line.put(self._token)
        said = line.ask("own", patience_s=_SIGNATURE_S)
        if said["root"] != self._root.kid:
            raise ToolError(f"the hub says that root {said['root']} owns it now, not {self._root.kid}; do not use it")

    def _settings(self, line: Line) -> str:
        # of a hub that is in the registry the settings are ours; whoever had it before may have left recipients behind
        base = line.ask("settings")["settings"] if self._ours else {}
        self._document = self._wishes.document(base)
        session.check(line, self._document, ca=self._wishes.ca is not None)
        self._seq += 1
        session.install_signed(line, self._root, self._hello["hub"], self._seq, self._document, self._wishes.ca_der())
        return "checked by the hub, signed, installed" + (" with the CA" if self._wishes.ca else "")

    def _write_down(self) -> str:
        entry = registry.Entry(
            hub=self._hello["hub"],
            key=self._key,
            root=self._root.kid,
            name=self._wishes.name,
            certificate=self._token,
            seq=self._seq,
            board=self._hello["board"],
            provisioned_at=int(time.time()),
            note=self._wishes.note or (self._entry.note if self._entry else ""),
        )
        with registry.open_for_writing(self._book) as book:
            book.put(entry, self._root.point)
        return f"written to {self._book}"

    def _online(self, patience_s: float) -> str:
        wan = self._document.get("wan", {})
        with session.restarted(self._wishes.port, self._hello["hub"]) as line:
            if not wan.get("url"):
                return "the hub has restarted; it has no broker to go to"
            if wan["url"] == "cable:":
                return "the hub has restarted; its way to the broker: meterhub bridge --port PORT --broker URL"
            online.wait(line, self._document, patience_s)
        return f"the hub has reached {wan['url']}"
