"""`meterhub restore FILE.zip`: a backup's history and settings, onto the hub on the cable."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..board.port import Line, Repl
from ..errors import ToolError
from . import archive, document, info, session
from .backup import in_words, read_history
from .flash_files import HubFiles


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "restore",
        help="put a backup's history and settings onto a hub on the cable",
        description="Checks all of the backup first, writes beside what is there, checks that on the board, and only "
        "then puts it in place. Cut off half-way, it is completed by running it again.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.zip", help="what `meterhub backup` has written")
    parser.add_argument("--force", action="store_true", help="even if the hub's own history is newer")
    parser.add_argument(
        "--replace-hub", action="store_true", help="even if it is another hub's: this one takes its place"
    )
    info.add_port(parser)


def run(args: argparse.Namespace) -> int:
    """Restore, and show that the hub reads what was restored."""
    backup = archive.load(args.file)
    due = archive.reach(backup.files)
    with Line(args.port) as line:
        hub = line.hub["hub"]
    if backup.about["hub"] != hub and not args.replace_hub:
        raise ToolError(
            f"{args.file} is of hub {backup.about['hub']}, this is {hub}; if this board takes its place: --replace-hub"
        )
    with Repl(args.port) as repl:
        journal_too = _put(HubFiles(repl), backup.files, due, args)
    with session.restarted(args.port, hub) as line:
        seen = line.ask("info")
        _see_the_same(due, seen)
        left = _restore_settings(line, backup.settings)
    said = {"hub": hub, "entries": due.entries, "last": due.last, "journal": journal_too, "settings_left": left}
    print(json.dumps(said) if args.json else _in_words(args.file, due, journal_too, left))
    return 0


def _put(files: HubFiles, wanted: dict[str, bytes], due: archive.Reach, args: argparse.Namespace) -> bool:
    """Replace the hub's history; return whether the journal was replaced too."""
    there = read_history(files, quiet=True)
    here = archive.reach(there)
    if here.last > due.last and not args.force:
        newer = f"the hub's own history is newer ({in_words(here)}; the backup's: {in_words(due)})"
        raise ToolError(f"{newer}; nothing was written; --force gives it up")
    journal_too: bool = args.force or all(a <= b for a, b in zip(here.journal, due.journal, strict=True))
    chosen = {name: raw for name, raw in wanted.items() if journal_too or not name.startswith("journal/")}
    new = {name: raw for name, raw in chosen.items() if there.get(name) != raw}
    for count, (name, raw) in enumerate(new.items(), 1):
        files.write_temporary(name, raw)
        if not args.json:
            print(f"wrote {count} of {len(new)}: {name}, {len(raw):,} bytes", flush=True)
    for name, raw in new.items():
        files.put_in_place(name, raw)
    for name in there.keys() - wanted.keys():
        if journal_too or not name.startswith("journal/"):
            files.remove(name)
    return journal_too


def _see_the_same(due: archive.Reach, seen: dict) -> None:
    """Raise ToolError unless the hub, restarted, reads the history that was restored, and what it added since."""
    have = seen["have"] or [0, 0]
    if seen["intervals"] < due.entries or have[1] < due.last or (due.entries and have[0] > due.first):
        raise ToolError(
            f"the hub reads {seen['intervals']} intervals up to {have[1]}, not what was restored; run it again"
        )


def _restore_settings(line: Line, wanted: dict) -> list[str]:
    """Give the hub the backup's settings; return the names that only `meterhub provision` may change."""
    before = line.ask("settings")["settings"]
    after = document.merged(before, wanted)
    left = [name for name in document.changed(before, after) if document.is_protected(name)]
    flat = document.flat(before)
    after = document.with_values(after, {name: flat[name] for name in left})
    if document.changed(before, after):
        session.check(line, after)
        session.install_plain(line, after)
        line.close()
        with session.restarted(line.port, line.hub["hub"]):
            pass
    return left


def _in_words(path: Path, due: archive.Reach, journal_too: bool, left: list[str]) -> str:
    words = [f"restored from {path}: {in_words(due)}; the hub reads the same"]
    if not journal_too:
        words.append("the hub's journal is newer and was kept (--force replaces it)")
    if left:
        words.append(f"left as they are, for `meterhub provision` to change: {', '.join(left)}")
    words.append("passwords are in no backup: meterhub settings set NAME=@FILE")
    return "\n".join(words)
