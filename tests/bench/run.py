"""Figures of this checkout on this machine: `make bench`, or .venv/bin/python tests/bench/run.py [SUBJECT ...]

Every figure is measured now, by running what users run. What is compared takes turns in one run, and a figure is the
median of several turns: the machine may be busy. Nothing here passes or fails on time; the exit status is 1 when
something does not work at all.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time

import worker
from figures import Table

from meterhub.errors import HubError
from meterhub_tools import toolchain
from meterhub_tools.errors import ToolError

SUBJECTS = {
    "p1": "telegrams a second, beside dsmr-parser",
    "sml": "SML files a second, beside smllib",
    "dlms": "DLMS pushes a second, beside dlms-cosem",
    "mbus": "M-Bus answers a second, beside pyMeterBus",
    "modbus": "Modbus answers a second, beside minimalmodbus",
    "decoders": "what each decoder of a meter takes of a board's memory, and of a line's bytes",
    "lines": "telegrams and pulses at their true speed, and what a busy hub counts of them",
    "export": "thirteen months to a recipient: seconds, bytes on the wire, heap",
    "commands": "signed commands: how many a second, their bytes, the heap of each service",
    "headend": "a thousand hubs, one and two head-ends: messages a second, command to answer, beside the bare broker",
    "crypto": "public-key operations, beside the ecdsa library",
    "billing": "private billing: commitments on the hub; a month's proof, verification, bytes by kind of tariff",
    "store": "the load profile: bytes on flash, appending and reading",
    "heartbeat": "what the heartbeat costs a flash",
    "cuts": "the store through power cuts: records lost, wear, seconds to start, heap",
    "full_store": "a full store on the emulated Pico: seconds to open it after power-on, heap",
    "memory": "what each room of the firmware takes of a board's memory",
    "size": "bytes of the firmware: .mpy files, a slot, the frozen image",
    "board": "on the emulated Pico: memory while it works, time to the first reading, what is missed",
}


def main(words: list[str]) -> int:
    """Run the subjects that `words` name, all without; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", nargs="*", metavar="SUBJECT", help=", ".join(SUBJECTS))
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument(
        "--commands", action="store_true", help="also the programs that were run, as a shell takes them"
    )
    args = parser.parse_args(words)
    unknown = [name for name in args.subject if name not in SUBJECTS]
    if unknown:
        parser.error(f"no such subject: {', '.join(unknown)}")
    here = machine()
    if not args.json:
        _say(", ".join(f"{name} {value}" for name, value in here.items()) + "\n")
    results = [_run(name, say=not args.json) for name in args.subject or SUBJECTS]
    if args.json:
        _say(json.dumps({"machine": here, "subjects": results}, indent=1))
    elif args.commands:
        _say("\n".join(command for result in results for command in result["commands"]))
    return int(any(result["error"] for result in results))


def _run(name: str, say: bool) -> dict:
    """Measure one subject; what does not work at all is said, and the others go on."""
    started = time.monotonic()
    result: dict = {"subject": name, "again": f".venv/bin/python tests/bench/run.py {name}", "tables": [], "error": ""}
    worker.commands.clear()
    try:
        tables: list[Table] = importlib.import_module(name).tables()
        result["tables"] = [table.as_dict() for table in tables]
    except (worker.Broken, ToolError, HubError, OSError, TimeoutError) as error:
        tables = []
        result["error"] = f"{type(error).__name__}: {error}"
    result["commands"] = list(worker.commands)
    result["seconds"] = round(time.monotonic() - started, 1)
    if say:
        for table in tables:
            _say(table.as_text() + "\n")
        if result["error"]:
            _say(f"{name} DOES NOT WORK: {result['error']}")
        _say(f"  again: {result['again']}   ({result['seconds']:.0f} s)\n")
    return result


def machine() -> dict:
    """Return what this was measured on."""
    said = subprocess.run(
        [toolchain.micropython(), "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True
    )
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "micropython": said.stdout.strip(),
        "cpython": platform.python_version(),
    }


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
