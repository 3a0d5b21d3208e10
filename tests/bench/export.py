"""The data export: how long thirteen months take, what they weigh on the wire, and what heap they need.

Seconds are those of a clock on the wall, from the request to the receipt that has been verified, with the recipient
(meterhub_tools.recipient, CPython) and the hub's applet taking turns; nobody thinks about a PIN. Then the same over
MQTT, with the whole hub and the embedded broker (export_broker.py), less the time from the question to the PIN.

Heap is what is needed above the idle hub, which has everything loaded and has just been linked:
in use     collected and counted at every slice and every message of the applet: what is alive then
needed     all of the heap is taken but one piece; the smallest piece with which the export still goes through.
           This has what lives between two looks, what a collection finds too late, and holes too small for anything.
"""

from collections.abc import Callable

from customer import Customer, Export, jwe_bytes, mqtt_bytes
from export_broker import over_broker
from figures import Table, median
from history import DAYS
from store import filled
from worker import Broken

from meterhub_tools import toolchain

ROUNDS = 3
MONTH = 30
STEP = 512
MOST = 64 * 1024
ROOMY = "512k"  # for the search: one large piece must be there to begin with


def tables() -> list[Table]:
    """Return the one table."""
    profile = filled()
    cases = {
        f"private, {MONTH} days": ("private", MONTH),
        f"private, {DAYS} days": ("private", DAYS),
        f"server, {DAYS} days": ("server", DAYS),
    }
    table = Table(f"Export: half-hours of two registers, {DAYS} days are {DAYS * 48}", ["", *cases, "goal"])
    figures = {case: _figures(profile, *wish) for case, wish in cases.items()}
    need = 0
    for case, (mode, days) in cases.items():
        need = least(lambda free, mode=mode, days=days: carries(profile, mode, days, free), need)
        figures[case]["heap needed, 32-bit"] = need
    for bits in (64, 32):
        sent = over_broker(profile, bits)
        for case, (mode, days) in cases.items():
            if days == DAYS:
                figures[case][f"seconds over MQTT, {bits}-bit hub"] = sent[mode]["machine"]
                figures[case][f"  of these PIN to last reading, {bits}-bit"] = sent[mode]["data"]
    goals = {"seconds": "< 5", "JWE bytes per interval": "<= 5", "heap needed, 32-bit": "<= 16384"}
    goals |= {"seconds over MQTT, 64-bit hub": "< 5", "heap in use, 32-bit": "<= 16384"}
    for name in figures[f"private, {DAYS} days"]:
        table.add(name, *(figures[case].get(name) for case in cases), goals.get(name, ""))
    table.notes = [
        f"seconds: median of {ROUNDS}; heap needed: enough {ROUNDS} times, to {STEP} bytes; keys are new each time",
        "JWE: header, iv, ciphertext and tag before base64, receipt and all; MQTT: QoS 1 packets, acknowledgements",
    ]
    return [table]


def _figures(profile, mode: str, days: int) -> dict[str, object]:
    with Customer(profile) as customer:
        runs = [customer.export(mode, days) for _ in range(ROUNDS)]
    intervals = days * 48
    up, down = mqtt_bytes(runs[0].up, "up"), mqtt_bytes(runs[0].down, "down")
    found: dict[str, object] = {
        "seconds": median([run.seconds for run in runs]),
        "  of these the hub's processor": median([run.hub_s for run in runs]),
        "JWE bytes per interval": jwe_bytes(runs[0].up) / intervals,
        "MQTT bytes per interval, up": up / intervals,
        "  and down": down / intervals,
    }
    for bits in (64, 32):
        bytes_in_use, busy = _in_use(profile, mode, days, bits)
        found[f"heap in use, {bits}-bit"] = bytes_in_use
        found["  at the message"] = busy
    return found


def _in_use(profile, mode: str, days: int, bits: int) -> tuple[int, str]:
    with Customer(profile, bits, toolchain.HEAP_OF_A_BOARD if bits == 32 else "") as customer:
        customer.watch()
        idle = customer.idle()
        run: Export = customer.export(mode, days)
        return run.most_bytes - idle, run.busiest


def carries(profile, mode: str, days: int, free: int) -> bool:
    """Return whether a hub with one piece of `free` bytes gets through an export, every time."""
    return all(_carries(profile, mode, days, free) for _ in range(ROUNDS))


def _carries(profile, mode: str, days: int, free: int) -> bool:
    with Customer(profile, 32, ROOMY) as customer:
        customer.leave(free)
        try:
            customer.export(mode, days)
        except Broken as error:
            if "MemoryError" in str(error):
                return False
            raise
        return True


def least(enough: Callable[[int], bool], guess: int) -> int:
    """Return the smallest number of bytes that is `enough`, to a STEP; `guess`: what was enough for somebody else."""
    low, high = 4096, guess or MOST
    if guess and not enough(guess):
        low, high = guess, MOST
    elif guess and not enough(guess - STEP):
        return guess
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        low, high = (low, middle) if enough(middle) else (middle, high)
    if high == MOST:
        raise Broken("an export does not go through, whatever memory there is")
    return high
