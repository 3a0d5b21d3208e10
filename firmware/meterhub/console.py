"""The console: one JSON object a line on the standard output (a board's USB serial line).

No reading, PIN or key is ever written here. `ev` says what a line is:
  start    {hub, version, name}
  journal  {kind, seq, at, name, detail}                 each entry of the journal, as it is made
  status   {telegrams, errors, intervals, have, open, clock, at, wan, heap}   once a second while something changes
Runs on  both
"""

import json


def say(ev: str, line: dict) -> None:
    """Write one line."""
    line["ev"] = ev
    print(json.dumps(line))  # noqa: T201 - this is the console


def journal_line(kind: str, entry) -> None:
    """Write a journal entry (store.journal.Entry)."""
    say("journal", {"kind": kind, "seq": entry.seq, "at": entry.at, "name": entry.name, "detail": entry.detail})
