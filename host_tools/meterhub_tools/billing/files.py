"""The files of private billing: what the website and the recipient save, and `meterhub bill` reads and writes.

Source   this file; what is in them: firmware/meterhub/codec/billing.py (batch, day keys), codec/bill.py (the rest)
Units    Unix seconds UTC; Wh
Errors   ToolError names the file and what to do; Refused for what is in it

    *.mhb   batches: for each, in the order of days, u16 little-endian length, then the batch as the hub signed it
    *.mhk   day keys, for the customer alone: whoever has them and the batches has the readings
    *.mht   signed tariff
    *.bill  a bill, and its proof right behind it: the bill's own count of totals says where it ends
    *.mhd   a disclosure, 103 bytes, and its proof right behind it
    *.csv   readings, as tariffs/series.py has them: the website's own download, or of `meterhub store dump`
A public key is a file or the text itself: base64url of the point, 65 bytes (87 letters); PEM; or JSON with it as
`key`, as `meterhub role new`, `meterhub hubs show --json` and the proof of an export have it.
"""

from __future__ import annotations

import datetime
import json
import os
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .. import firmware  # noqa: F401 - puts the firmware's package on the path
from ..errors import ToolError, UsageError
from ..proof import encode_public
from ..tariffs import series
from .refusals import Refused

from meterhub.codec import base64url, billing  # isort: skip
from meterhub.errors import HubError  # isort: skip

MOST_BYTES = 64 << 20
_MOST_KEY_BYTES = 16 << 10
_TOTALS_AT = 240  # of a bill: its count of totals
_DISCLOSURE_BYTES = 103

Moment = int | datetime.date  # Unix s, or a local day of the hub
Registers = dict[int, tuple[int, int | None]]


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what a file holds."""
    try:
        if path.stat().st_size > most:
            raise ToolError(f"{path} is too long")
        return path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}") from None


def write(path: Path, raw: bytes) -> None:
    """Write a file, so that there is never half of it."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_bytes(raw)
        draft.replace(path)
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; name another file with -o") from None


def check_place(path: Path) -> None:
    """ToolError when write() could not: before it is noted that the file was given away."""
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ToolError(f"{path}: its folder is not there, or cannot be written; name another file with -o")


# -- batches and keys --------------------------------------------------------------------------------------------


def pack_batches(batches: Iterable[bytes]) -> bytes:
    """Return a file of batches."""
    return b"".join(struct.pack("<H", len(one)) + one for one in batches)


def batches_of(raw: bytes) -> list[bytes]:
    """Return the batches in a file; ValueError with the place where it is none."""
    found, at = [], 0
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 2], "little")
        one = raw[at + 2 : at + 2 + length]
        if not length or len(one) != length or one[:3] != b"mhb":
            raise ValueError(at)
        found.append(one)
        at += 2 + length
    return found


def read_batches(paths: Sequence[Path]) -> list[bytes]:
    """Return the batches of some files, one after the other."""
    found = []
    for path in paths:
        try:
            found += batches_of(read(path))
        except ValueError as error:
            raise ToolError(f"{path} is no file of batches (.mhb), from byte {error.args[0]} on") from None
    if not found:
        raise ToolError(f"{paths[0]} holds no batch; the hub makes the first one when its first whole day is over")
    return found


def parsed(batches: Iterable[bytes]) -> list[billing.Batch]:
    """Return batches as they are to be looked into; Refused BATCH_FORMAT."""
    try:
        return [billing.Batch(one) for one in batches]
    except HubError as error:
        raise Refused("BATCH_FORMAT", error.field) from None


def moment_of(batches: list[bytes], at: Moment) -> int:
    """Return Unix s: of a local day of the hub, when it begins by these batches; Refused BATCH_NONE."""
    if not isinstance(at, datetime.date):
        return at
    day = (at - datetime.date(1970, 1, 1)).days
    for one in parsed(batches):
        if one.day in (day, day - 1):
            return _edges(one)[one.day != day]
    raise Refused("BATCH_NONE", f"of {at}; {_held(batches)}")


def chosen(batches: list[bytes], start: int | None, stop: int | None, chain: bytes | None = None) -> list[bytes]:
    """Return the batches in which some time lies, of a chain if it is named; Refused BATCH_NONE if not all of it does.

    Whether they follow from one another is not looked at.
    """
    if start is not None and stop is not None and stop <= start:
        raise UsageError("the period ends before it begins; --to is the day after its last one")
    found = []
    for raw, one in zip(batches, parsed(batches), strict=True):
        first, last = _edges(one)
        if (
            (chain is None or one.chain == chain)
            and (stop is None or first < stop)
            and (start is None or start < last)
        ):
            found.append((raw, first, last))
    if not found or (start is not None and start < found[0][1]) or (stop is not None and found[-1][2] < stop):
        raise Refused("BATCH_NONE", _held(batches))
    return [raw for raw, _, _ in found]


def check_order(batches: list[bytes]) -> None:
    """Refuse batches one of which is missing, doubled or of another chain, as a verifier would."""
    for before, after in pairwise(parsed(batches)):
        if (before.hub, before.chain) != (after.hub, after.chain):
            raise Refused("BATCH_CHAIN", str(date_of(after.day)))
        if after.day <= before.day:
            raise Refused("BATCH_ORDER", str(date_of(after.day)))
        if after.day > before.day + 1:
            raise Refused("BATCH_MISSING", str(date_of(before.day + 1)))


def date_of(day: int) -> datetime.date:
    """Return a day that is counted from 1970."""
    return datetime.date(1970, 1, 1) + datetime.timedelta(day)


def _edges(one: billing.Batch) -> tuple[int, int]:
    return one.first * one.interval_s, (one.first + one.count) * one.interval_s


def _held(batches: list[bytes]) -> str:
    if not batches:
        return "no batch in the files"
    days = [one.day for one in parsed(batches)]
    return f"the files have the days {date_of(min(days))} to {date_of(max(days))}"


def read_keys(paths: Iterable[Path], hub: bytes, chain: bytes, days: Iterable[int]) -> bytes:
    """Return the keys of some days on end of a chain, out of some files; Refused KEYS_OTHER when one is missing."""
    known: dict[int, bytes] = {}
    for path in paths:
        try:
            of_hub, of_chain, keys = billing.keys_of(read(path))
        except HubError as error:
            raise Refused("KEYS_FORMAT", f"{path}, {error.field}") from None
        if (of_hub, of_chain) == (hub, chain):
            known |= keys
    wanted = sorted(days)
    for day in wanted:
        if day not in known:
            raise Refused("KEYS_OTHER", f"none for {date_of(day)}")
    return bytes(billing.pack_keys(hub, chain, wanted[0], [known[day] for day in wanted]))


def read_readings(paths: Iterable[Path]) -> Registers:
    """Return what the registers read, out of some CSV files."""
    found: Registers = {}
    for path in paths:
        found |= series.registers(path)
    return found


# -- bills, disclosures, keys of others --------------------------------------------------------------------------


def split_bill(raw: bytes) -> tuple[bytes, bytes]:
    """Return (bill, proof) out of a file's bytes; Refused BILL_FORMAT."""
    if raw[:3] == b"mhd":
        raise ToolError("this is a disclosure; `meterhub bill check-disclosure` is for it")
    if raw[:4] != b"mhi1" or len(raw) < _TOTALS_AT + 2:
        raise Refused("BILL_FORMAT", "bill.version")
    size = _TOTALS_AT + 2 + 8 * int.from_bytes(raw[_TOTALS_AT : _TOTALS_AT + 2], "little")
    return raw[:size], raw[size:]


def split_disclosure(raw: bytes) -> tuple[bytes, bytes]:
    """Return (disclosure, proof) out of a file's bytes; Refused DISCLOSURE_FORMAT."""
    if raw[:3] == b"mhi":
        raise ToolError("this is a bill; `meterhub bill verify` is for it")
    if raw[:4] != b"mhd1":
        raise Refused("DISCLOSURE_FORMAT", "disclosure.version")
    return raw[:_DISCLOSURE_BYTES], raw[_DISCLOSURE_BYTES:]


def nonce_of(text: str) -> bytes:
    """Return the 16 bytes in 32 hexadecimal digits; ValueError."""
    raw = bytes.fromhex(text)
    if len(raw) != 16 or len(text) != 32:
        raise ValueError(text)
    return raw


def public_key(text: str, option: str) -> bytes:
    """Return the point (65 bytes) that an option names, in one of the forms above."""
    if len(text) < 200 and Path(text).is_file():
        try:
            content = read(Path(text), _MOST_KEY_BYTES if not text.endswith(".json") else MOST_BYTES).decode()
        except UnicodeDecodeError:
            raise _no_key(text, option) from None
    else:
        content = text
    try:
        point = _point(content.strip())
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (HubError, ValueError, UnsupportedAlgorithm):
        raise _no_key(text, option) from None
    return point


def _no_key(text: str, option: str) -> ToolError:
    return ToolError(
        f"{option} {text[:40]} is neither a public key on P-256 nor a file with one: base64url of the point, PEM, or "
        "JSON with `key`, such as the NAME.json of `meterhub role new`"
    )


def _point(content: str) -> bytes:
    if content.startswith("-----BEGIN"):
        key = serialization.load_pem_public_key(content.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError
        return encode_public(key)
    if content.startswith("{"):
        named = json.loads(content).get("key")
        content = named if isinstance(named, str) else ""
    point = bytes(base64url.decode(content))
    if len(point) != 65:
        raise ValueError
    return point
