"""The console: one JSON object a line on the standard output (a board's USB serial line).

The other way on that line, and what stands on it besides, is links/cable.py's.
No reading, PIN or key is ever written here. `ev` says what a line is:
  start    {hub, version, name}
  journal  {kind, seq, at, name, detail}                 each entry of the journal, as it is made
  status   {telegrams, errors, intervals, have, open, clock, at, wan, heap}   once a second while something changes
  part, reply                                            of the service line: links/cable.py
Runs on  both
"""

import json


def say(ev: str, fields: dict) -> None:
    """Write one event."""
    fields["ev"] = ev
    line(json.dumps(fields))


def line(text: str) -> None:
    """Write one line."""
    print(text)  # noqa: T201 - this is the console


def journal_line(kind: str, entry) -> None:
    """Write a journal entry (store.journal.Entry)."""
    say("journal", {"kind": kind, "seq": entry.seq, "at": entry.at, "name": entry.name, "detail": entry.detail})
