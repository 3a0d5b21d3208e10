"""The customer's word: nothing is given away that was not told before, agreed to by a typed yes, and written down.

Source   rules.py: the ledger, and what is refused because of it
Errors   ToolError when the customer does not agree; Refused SECOND_BILL, OVERLAP

The ledger is billing-ledger.json beside the day keys, whoever was given something: it is written before the file that
is given away, so that a power cut leaves an entry too many, and never one too few.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ..errors import ToolError
from .rules import Entry, Ledger

FILE = "billing-ledger.json"
_NO = "nothing was made, since nobody typed yes"


class Giving:
    """Something that is about to be given away; `entry.at` is not known yet."""

    def __init__(self, place: Path, entry: Entry, even_so: bool = False) -> None:
        """Refuse what must not be given after all that was given away before. even_so: what overlaps may be."""
        self._place, self._entry = place, entry
        self._hub = bytes.fromhex(entry.hub)
        self._even_so = even_so
        self._check()

    def _check(self) -> None:
        entry, self._ledger = self._entry, Ledger.load(self._place)
        if entry.what == "bill":
            self._ledger.check_bill(self._hub, entry.start, entry.stop, bytes.fromhex(entry.tariff))
        if not self._even_so:
            self._ledger.check(entry.what, self._hub, entry.start, entry.stop, entry.export, entry.wh)

    def ask(self, shows: list[str]) -> None:
        """Tell the customer, at the terminal, what will be seen; ToolError unless the answer is yes."""
        entry = self._entry
        print(f"With this {entry.to} will know:", file=sys.stderr)
        more = self._ledger.shows(entry.what, self._hub, entry.start, entry.stop, entry.export)
        for line in [*shows, *more]:
            print(f"  - {line}", file=sys.stderr)
        print(f"It will be noted in {self._place}. Type yes to agree: ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not sys.stdin.isatty():
            print(file=sys.stderr)
        if answer.strip().lower() != "yes":
            raise ToolError(_NO)

    def note(self) -> None:
        """Write down that it was given away, now; refuse what another one that was given meanwhile rules out."""
        self._check()
        fields = vars(self._entry) | {"at": int(time.time())}
        self._ledger.add(Entry(**fields))
        self._ledger.save(self._place)
