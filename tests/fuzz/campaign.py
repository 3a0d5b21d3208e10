"""The meters' decoders under damaged bytes: `make fuzz`, or .venv/bin/python tests/fuzz/campaign.py [DECODER ...]

Every decoder gets INPUTS inputs on CPython and as many on the 32-bit MicroPython, in a board's heap and 64 KB for what
the fuzzer itself holds (a second decoder, frames, what they must tell). They come from seeds: a failure comes again
with the command that is printed. unix/fuzz.py says what must hold, unix/mutate.py how bytes are damaged. Then streams
of 64 KB and of 1 MB show that time is linear in what comes. Captures of real meters, where there are any, are damaged
as well as the hand-made samples.

The exit status is 1 when something failed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from meterhub_tools import firmware, toolchain
from meterhub_tools.decode import files

PROGRAM = Path(__file__).parent / "unix/fuzz.py"
ENGINES = ("cpython", "micropython")
DECODERS = {  # and the folder of captures that may go in
    "p1": "p1",
    "p1-bare": "",
    "p1-encrypted": "",
    "iec62056": "iec62056-21/smartmeter-obis",
    "sml": "sml",
    "dlms": "dlms",
    "dlms-mbus": "",
    "dlms-ciphered": "",
    "dlms-raw": "",
    "mbus": "mbus",
    "modbus": "",
}
CHANCE = {"p1": 16, "sml": 16, "dlms": 16, "modbus": 16}  # bits of the CRC that HEAVY damage may hit by chance
_HEAP = "254k"
_LIFE = 2000  # inputs that one pair of decoders gets, in one process
_MOST_CAPTURES, _LONGEST_CAPTURE = 4, 1000
_SHORT, _LONG = 64 << 10, 1 << 20
_STEEPEST = 2.0  # how much more a byte may cost in the long stream: the clock of a busy machine is not exact
_MUCH_S = 0.05  # what is faster than this in all cannot be told from nothing


@dataclass
class Score:
    """What one decoder did on one interpreter."""

    counts: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    kept: int = 0  # bytes that a decoder holds more at the end of a life than early in it; 0 on CPython

    def most_by_chance(self, decoder: str) -> int | None:
        """Return how many wrong telegrams there may be: up to 16 frames are looked for in each input; None: any."""
        bits = CHANCE.get(decoder)
        return None if bits is None else 3 + 16 * self.counts["inputs"] // 2**bits


def command(engine: str, *words: object) -> tuple[list[str], dict[str, str]]:
    """Return (the program that runs the decoders, its environment)."""
    said = [str(word) for word in words]
    if engine == "cpython":
        return [sys.executable, str(PROGRAM), *said], os.environ | {
            "PYTHONPATH": f"{toolchain.FIRMWARE}:{firmware.SHIMS}"
        }
    words = [str(toolchain.micropython(32)), "-X", f"heapsize={_HEAP}", str(PROGRAM), *said]
    return words, os.environ | {"METERHUB_IMAGE": str(toolchain.firmware_image()), "MICROPYPATH": ".frozen"}


def answers(engine: str, *words: object) -> Iterator[dict]:
    """Yield what the program says; a {"failed": ...} more when it ends otherwise than well."""
    line, env = command(engine, *words)
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=False)
    yield from map(json.loads, done.stdout.splitlines())
    if done.returncode:
        yield {"failed": f"ended with {done.returncode}: {done.stderr.strip()[-300:]}", "input": ""}


def captures(decoder: str) -> list[Path]:
    """Return files of raw bytes with a few short captures, none when there are none on this machine."""
    corpus = Path(os.environ.get("METERHUB_CORPUS") or toolchain.ROOT / "../shared/data") / "open"
    folder = DECODERS[decoder]
    found: list[Path] = []
    if not folder or not corpus.is_dir():
        return found
    place = toolchain.ROOT / "build/fuzz"
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(
        path for path in (corpus / folder).rglob("*") if path.suffix in (".txt", ".hex", ".bin", ".json")
    ):
        raw = files.raw(path)
        if len(raw) <= _LONGEST_CAPTURE and len(found) < _MOST_CAPTURES:
            found.append(place / f"{decoder}-{len(found)}.bin")
            found[-1].write_bytes(raw)
    return found


def fuzz(decoder: str, engine: str, life: int, inputs: int, more: list[Path]) -> Score:
    """Run one life of a decoder."""
    score = Score()
    start = time.monotonic()
    for said in answers(engine, "inputs", decoder, life, inputs, *more):
        if "failed" in said:
            again = f"campaign.py {decoder} --on {engine} --life {life}"
            told = f"{decoder}, {engine}: {said['failed']} {said.get('more', '')[:300]}"
            score.failures.append(f"{told}\n    input {said['input'][:400]}\n    again: {again}")
        else:
            score.counts.update({name: said[name] for name in ("inputs", "bytes", "good", "wrong", "uneven")})
            score.kept = said["kept"]
    score.seconds = time.monotonic() - start
    return score


def too_steep(decoder: str, engine: str) -> tuple[float, list[str]]:
    """Return (the most a MB takes, the streams of which a byte costs more the longer they are)."""
    short, long = (
        {said.get("stream", ""): said for said in answers(engine, "linear", decoder, size)} for size in (_SHORT, _LONG)
    )
    steep = []
    for name, said in long.items():
        if "failed" in said:
            steep.append(f"{decoder}, {engine}: {said['failed']}")
        elif said["s"] > _MUCH_S and said["s"] / said["bytes"] > _STEEPEST * max(
            short[name]["s"] / short[name]["bytes"], _MUCH_S / _LONG
        ):
            steep.append(f"{decoder}, {engine}, stream {name!r}: {short[name]['s']} s, then {said['s']} s")
    return max(said.get("s", 0) for said in long.values()), steep


def measure(decoders: list[str], engines: list[str], inputs: int, life: int) -> int:
    """Fuzz, and print a table; return the exit status."""
    jobs = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for decoder in decoders:
            more = captures(decoder)
            for engine in engines:
                lives = [life] if life else range(1, 1 + -(-inputs // _LIFE))
                score = [pool.submit(fuzz, decoder, engine, one, min(_LIFE, inputs), more) for one in lives]
                jobs.append((decoder, engine, score, None if life else pool.submit(too_steep, decoder, engine)))
        heads = ("inputs", "MB", "inputs/s", "good", "wrong", "chance", "uneven", "kept", "s/MB at worst")
        say(f"{'decoder':14} {'interpreter':12}" + "".join(f"{head:>11}" for head in heads[:-1]) + f"{heads[-1]:>15}")
        failures = [failure for job in jobs for failure in _row(*job)]
    for failure in failures[:20]:
        say(f"FAILED {failure}")
    say(f"{len(failures)} failures")
    return int(bool(failures))


def _row(decoder: str, engine: str, parts: list, steep: object) -> list[str]:
    """Wait for one decoder on one interpreter, print its row, return what failed."""
    score = Score()
    for part in parts:
        one = part.result()
        score.counts.update(one.counts)
        score.failures += one.failures
        score.seconds += one.seconds
        score.kept = max(score.kept, one.kept)
    worst, slow = steep.result() if steep else (0.0, [])
    counts, chance = score.counts, score.most_by_chance(decoder)
    if chance is not None and counts["wrong"] > chance:
        score.failures.append(f"{decoder}, {engine}: {counts['wrong']} wrong telegrams told, by chance {chance}")
    figures = [counts["inputs"], round(counts["bytes"] / 1e6, 1), round(counts["inputs"] / max(score.seconds, 1e-9))]
    figures += [counts["good"], counts["wrong"], "any" if chance is None else chance, counts["uneven"], score.kept]
    say(f"{decoder:14} {engine:12}" + "".join(f"{figure:>11}" for figure in figures) + f"{worst:15.2f}")
    return score.failures + slow


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(words: list[str]) -> int:
    """Fuzz what `words` say; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("decoder", nargs="*", metavar="DECODER", help=", ".join(DECODERS))
    parser.add_argument("--inputs", type=int, default=1_000_000, metavar="N", help="each on each (1000000)")
    parser.add_argument("--on", choices=(*ENGINES, "both"), default="both", help="(both)")
    parser.add_argument("--life", type=int, default=0, metavar="N", help="only this one, which failed")
    args = parser.parse_args(words)
    unknown = [name for name in args.decoder if name not in DECODERS]
    if unknown:
        parser.error(f"no such decoder: {', '.join(unknown)}")
    engines = list(ENGINES) if args.on == "both" else [args.on]
    return measure(args.decoder or list(DECODERS), engines, args.inputs, args.life)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
