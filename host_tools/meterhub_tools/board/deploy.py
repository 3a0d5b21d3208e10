"""`meterhub deploy`: the firmware onto a board that runs MicroPython; only what has changed, and all of it or nothing.

The board tells its MicroPython's version and the machine code that it understands; the sources are compiled for just
that. Which slot is filled and how it becomes the one that boots: slots.py. A board whose image has this version of
the firmware frozen in gets no slot: there the code takes no memory.
"""

import argparse
import json
import sys
import time
from typing import Any, NamedTuple

from .. import firmware, toolchain  # noqa: F401 - puts the firmware's package on the path
from ..demo.progress import Progress
from ..errors import ToolError, UsageError
from . import kinds
from .bundle import Bundle, pack
from .port import Repl, wait_for_hub
from .slots import Plan, Slots, digest_of

from meterhub.version import VERSION  # isort: skip

# sys.implementation._mpy >> 10, as mpy-cross calls it (MicroPython's py/persistentcode.h)
_ARCHES = (
    *("", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp"),
    *("xtensa", "xtensawin", "rv32imc"),
)
_START_S = 40.0
_ROOMY_BYTES = 250_000  # a heap in which the firmware as files leaves room for an export: make bench, board
_PC_ONLY = ("meterhub/hal/unix.mpy", "meterhub/hal/bench.mpy")  # the unix port's parts of the firmware

_ASK = """\
import sys
def _about():
    own = sys.implementation
    try:
        import json
        with open('/pins.json') as file:
            board = json.load(file).get('board', '')
    except (OSError, ValueError, AttributeError):
        board = ''
    import gc
    for name in list(sys.modules):
        if name.startswith('meterhub'):
            del sys.modules[name]
    path = sys.path[:]
    sys.path[:] = ['.frozen']
    try:
        from meterhub.version import VERSION as frozen
    except ImportError:
        frozen = ''
    sys.path[:] = path
    gc.collect()
    return (own.name, tuple(own.version[:3]), getattr(own, '_machine', ''), getattr(own, '_mpy', 0),
        getattr(own, '_build', ''), board, frozen, gc.mem_free() + gc.mem_alloc())
"""


class About(NamedTuple):
    """What a board says of itself. pins: which kind of board its pins.json is for, "" without one; frozen: the version
    of the firmware in its image, "" without one; heap: bytes."""

    name: str
    version: tuple[int, int, int]
    machine: str
    mpy: int
    build: str
    pins: str
    frozen: str
    heap: int

    @property
    def words(self) -> str:
        """The board in words."""
        return f"{self.machine}, MicroPython {'.'.join(map(str, self.version))}"


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the subcommand to `meterhub`."""
    parser = subparsers.add_parser(
        "deploy",
        help="put the firmware onto a board that runs MicroPython",
        description="Compiles the firmware for the board, sends what has changed, checks it there and restarts the "
        "board. Interrupted at any moment, the old firmware stays in force, and the next run completes it.",
    )
    parser.add_argument("--port", required=True, help="the board's serial port: /dev/ttyACM0, COM3, socket://host:n")
    parser.add_argument("--board", help="which board it is, a folder of boards/ (default: it says so itself)")
    parser.add_argument("--as-files", action="store_true", help="also where the image has this version frozen in")
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Deploy; return 0. ToolError says what is in the way; the board then boots what it booted before."""
    began = time.monotonic()
    progress = Progress(sys.stderr if args.json else sys.stdout)
    with progress.step("connect", f"stopping what runs on {args.port}"):
        repl = Repl(args.port).__enter__()
    with repl:
        report = deploy(repl, args.board or "", progress, args.as_files)
    with progress.step("start", "waiting for the hub to start"):
        hub = wait_for_hub(args.port, _START_S)
    report |= {"hub": hub.get("hub", ""), "version": hub.get("version", ""), "seconds": time.monotonic() - began}
    if args.json:
        print(json.dumps(report))
    else:
        _tell(report, args.port, bool(hub.get("owned")), progress)
    return 0


def about(repl: Repl) -> About:
    """Ask a board what it is."""
    repl.exec(_ASK, "to say what it is")
    return About(*repl.eval("_about()"))


def deploy(repl: Repl, board: str, progress: Progress, as_files: bool = False) -> dict[str, Any]:
    """Bring the files on the board up to date; return what was done. The board must be started anew afterwards."""
    found = about(repl)
    kind = _kind(found, board)
    progress.line(f"  {found.words}: {kind.name}")
    done = {"board": kind.name, "micropython": ".".join(map(str, found.version)), "heap": found.heap}
    if found.frozen == VERSION and not as_files:
        return done | _from_the_image(Slots(repl), kind, progress)
    with progress.step("compile", "compiling the firmware for it"):
        wanted = pack(VERSION, firmware_for(found))
    slots = Slots(repl)
    with progress.step("compare", "comparing it with what the board has"):
        plan = slots.plan(wanted)
    if plan:
        _fill(slots, plan, wanted, progress)
        with progress.step("check", "checking what the board has got"):
            slots.check(wanted)
    beside = _write_beside(slots, {"/pins.json": kind.pins, "/main.py": _main()})
    if plan:
        with progress.step("switch", f"making slot {plan.slot} the one that boots"):
            slots.switch(plan.slot)
    sent = (plan.send if plan else []) + beside
    return done | {"slot": slots.in_use, "sent": sent, "copied": len(plan.copy) if plan else 0}


def _from_the_image(slots: Slots, kind: kinds.Kind, progress: Progress) -> dict[str, Any]:
    """Have the board run the firmware in its image; return what was done."""
    with progress.step("compare", "the image has this firmware: only what is wired to the board is told"):
        sent = _write_beside(slots, {"/pins.json": kind.pins})
        slots.leave()
    return {"slot": "", "sent": sent, "copied": 0}


def firmware_for(found: About) -> dict[str, bytes]:
    """Return the files of a slot, compiled for this board; ToolError when our compiler does not fit it."""
    version, minor, arch = found.mpy & 0xFF, found.mpy >> 8 & 3, found.mpy >> 10 & 0x0F
    ours = toolchain.mpy_version()
    if found.name != "micropython" or found.version < kinds.OLDEST:
        raise ToolError(f"the board runs {found.words}; it takes 1.24 or newer: meterhub flash --help")
    if (version, minor) != ours or not 0 < arch < len(_ARCHES):
        raise ToolError(
            f"the board wants .mpy files of version {version}.{minor} (kind of machine code: {arch}), and this "
            f"checkout's mpy-cross makes {ours[0]}.{ours[1]}; flash a MicroPython that fits: meterhub flash --help"
        )
    files = toolchain.firmware_files(_ARCHES[arch])
    return {name: data for name, data in files.items() if name not in _PC_ONLY}


def _kind(found: About, board: str) -> kinds.Kind:
    """Return which kind of board this is; ToolError when it is another than `board`, or cannot be told."""
    if board:
        kind = kinds.named(board)
        kinds.check(kind, found.machine, found.build)
        return kind
    fitting = kinds.of_machine(found.machine, found.build)
    before = [kind for kind in fitting if kind.name == found.pins]
    if len(fitting) == 1 or before:
        return (before or fitting)[0]
    known = ", ".join(kind.name for kind in fitting or kinds.kinds().values())
    raise UsageError(f"which board is a {found.machine}? Say so with --board: {known}")


def _fill(slots: Slots, plan: Plan, wanted: Bundle, progress: Progress) -> None:
    doing = f"sending {len(plan.send)} of {len(wanted.files)} files to slot {plan.slot}"
    with progress.step("send", doing) as far:
        slots.fill(plan, wanted, far)


def _write_beside(slots: Slots, wanted: dict[str, bytes]) -> list[str]:
    """Replace the files outside the slots that differ; return which."""
    changed = [path for path, data in wanted.items() if slots.hash(path) != digest_of(data)]
    for path in changed:
        slots.write(path, wanted[path])
    return changed


def _main() -> bytes:
    return (toolchain.FIRMWARE / "main.py").read_bytes()


def _tell(report: dict[str, Any], port: str, owned: bool, progress: Progress) -> None:
    sent = len(report["sent"])
    what = f"{sent} files sent" if sent else "nothing was to be sent"
    progress.line(f"{report['board']}: {what}; hub {report['hub']} runs version {report['version']}")
    if report["slot"] and report["heap"] < _ROOMY_BYTES:
        has = f"this board has {report['heap'] // 1024} KB of memory"
        progress.line(f"  {has}: too little for an export beside firmware in files; see boards/README.md")
    if owned:
        progress.line(f"next: meterhub monitor --port {port}   see what it does")
    else:
        progress.line(f"next: meterhub provision --port {port}   make it yours, give it Wi-Fi, broker and meters")
