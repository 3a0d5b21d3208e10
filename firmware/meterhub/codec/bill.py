"""Private billing, the other side: a signed tariff, a bill, a disclosure, and the proof of either.

Source   this file; what each proof shows, as formulas: host_tools/meterhub_tools/billing/README.md
Units    Unix seconds UTC; Wh; net amounts and amounts as codec/rates.py has them; integers little endian
Memory   what it packs
Errors   HubError MALFORMED with the field, "bill.form": for bytes that the pack functions would not have made
Runs on  both

Signed tariff
  0    "mht1", u32 signed_at, 10 bytes signer: SHA-256 of its public point (65 bytes), the first 80 bits
  18   u16 length, the packed tariff (codec/tariff.py), 64 bytes signature ES256, r || s, over all before

Bill
  0    "mhi1", 10 bytes hub, 16 bytes chain, u32 start, u32 stop
  38   32 bytes digest of the packed tariff
  70   u16 batches, 32 bytes SHA-256 of their digests, one after the other
  104  16 bytes nonce, of whoever is to verify it
  120  u8 form: 0 linear, 1 blocks with their totals opened, 2 blocks with them hidden, 3 steps
  121  u8 bits of the range proofs: 8 .. 40, 0 for the forms 0 and 1
  122  u16 days: that begin locally from start to before stop
  124  u32 gaps: intervals whose energy is in no commitment, or in one of a later interval
  128  u64 unpriced_wh, u64 unpaid_wh: imported, fed in, over gaps, for which no price can be told
  144  16 bytes each, two's complement: net, income_net: exact; energy, standing, total, income: rounded, by the tariff
  240  u16 count, u64 each: of form 1 the totals: for each period of the blocks, in order, Wh of each band; else none

Disclosure
  0    "mhd1", 10 bytes hub, 16 bytes chain, u32 start, u32 stop
  38   u16 batches, 32 bytes SHA-256 of their digests, 16 bytes nonce
  88   u8 kind: 0 total: what was used from start to stop is `wh`; one reading is a total over one interval
                1 never above: in each interval not more than `wh`; over a gap, not more on average
  89   u8 direction: 0 imported, 1 fed in; u8 bits: of kind 1 8 .. 40, else 0
  91   u32 gaps, as above, u64 wh

Proof
  0    "mhp1", 32 bytes SHA-256 of the bill or disclosure, then its parts in the order in which README.md has them:
       opened   16 bytes c, 32 bytes z
       bits     33 bytes each, of the bits 1 .. n - 1, least first: commitments; 16 bytes c, then for each bit
                0 .. n - 1 16 bytes c0, 32 bytes z0, 32 bytes z1
       piece    16 bytes c, 16 bytes c0, 32 bytes z0, 32 bytes z1
       excess   33 bytes: a commitment; and two `bits`, or a `piece`
  A scalar z is big-endian and below the order of the curve; a c is any 16 bytes.
"""

import hashlib
import struct
from collections import namedtuple

from micropython import const

from . import tariff as tariffs
from .billing import SIGNATURE_BYTES, wrong

LINEAR, OPENED, HIDDEN, STEPS = 0, 1, 2, 3
TOTAL, NEVER_ABOVE = 0, 1
CHALLENGE_BYTES = 16
SCALAR_BYTES = 32
_TARIFF = "<4sI10sH"
_TARIFF_BYTES = const(20)
_BILL = "<4s10s16sII32sH32s16sBBHIQQ"
_BILL_BYTES = const(144)
_TOTALS_AT = const(240)
_DISCLOSURE = "<4s10s16sIIH32s16sBBBIQ"
_DISCLOSURE_BYTES = const(103)
_PROOF_BYTES = const(36)

Signed = namedtuple("Signed", ("at", "signer", "raw", "body", "signature"))
Bill = namedtuple(
    "Bill",
    (
        "hub",
        "chain",
        "start",
        "stop",
        "tariff",
        "batches",
        "digest",
        "nonce",
        "form",
        "bits",
        "days",
        "gaps",
        "unpriced_wh",
        "unpaid_wh",
        "net",
        "income_net",
        "energy",
        "standing",
        "total",
        "income",
        "totals",
    ),
)
Disclosure = namedtuple(
    "Disclosure",
    ("hub", "chain", "start", "stop", "batches", "digest", "nonce", "kind", "direction", "bits", "gaps", "wh"),
)


def tariff_body(at: int, signer: bytes, raw: bytes) -> bytes:
    """Return what a supplier signs: a packed tariff, when, and who."""
    return struct.pack(_TARIFF, b"mht1", at, signer, len(raw)) + raw


def tariff_of(raw: bytes) -> Signed:
    """Return a signed tariff; its signature is not verified here."""
    size = len(raw) - SIGNATURE_BYTES
    if size < _TARIFF_BYTES:
        raise wrong("tariff")
    magic, at, signer, length = struct.unpack_from(_TARIFF, raw, 0)
    if magic != b"mht1":
        raise wrong("tariff.version")
    if length > tariffs.MOST_BYTES or size != _TARIFF_BYTES + length:
        raise wrong("tariff.length")
    packed = bytes(raw[_TARIFF_BYTES:size])
    tariffs.document(packed)  # HubError MALFORMED "packed"
    return Signed(at, signer, packed, bytes(raw[:size]), bytes(raw[size:]))


def batches_digest(digests: list) -> bytes:
    """Return by what a bill names its batches."""
    return hashlib.sha256(b"".join(digests)).digest()


def pack_bill(bill: Bill) -> bytes:
    """Return the bytes of a bill."""
    parts = [struct.pack(_BILL, b"mhi1", *bill[:14])]
    for amount in bill[14:20]:
        parts.append((amount % (1 << 128)).to_bytes(16, "little"))
    parts.append(struct.pack("<H", len(bill.totals)))
    for wh in bill.totals:
        parts.append(struct.pack("<Q", wh))
    return b"".join(parts)


def bill_of(raw: bytes) -> Bill:
    """Return the bill in some bytes."""
    if len(raw) < _TOTALS_AT + 2:
        raise wrong("bill")
    fields = struct.unpack_from(_BILL, raw, 0)
    if fields[0] != b"mhi1":
        raise wrong("bill.version")
    form, bits = fields[9:11]
    if form > STEPS:
        raise wrong("bill.form")
    _check_bits("bill.bits", bits, form >= HIDDEN)
    amounts = []
    for at in range(_BILL_BYTES, _TOTALS_AT, 16):
        value = int.from_bytes(raw[at : at + 16], "little")
        amounts.append(value - (1 << 128) if value >> 127 else value)
    count = struct.unpack_from("<H", raw, _TOTALS_AT)[0]
    if len(raw) != _TOTALS_AT + 2 + 8 * count or (count and form != OPENED):
        raise wrong("bill.totals")
    totals = tuple([struct.unpack_from("<Q", raw, _TOTALS_AT + 2 + 8 * i)[0] for i in range(count)])
    values = list(fields[1:]) + amounts + [totals]
    return Bill(*values)


def pack_disclosure(disclosure: Disclosure) -> bytes:
    """Return the bytes of a disclosure."""
    return struct.pack(_DISCLOSURE, b"mhd1", *disclosure)


def disclosure_of(raw: bytes) -> Disclosure:
    """Return the disclosure in some bytes."""
    if len(raw) != _DISCLOSURE_BYTES:
        raise wrong("disclosure")
    fields = struct.unpack_from(_DISCLOSURE, raw, 0)
    if fields[0] != b"mhd1":
        raise wrong("disclosure.version")
    found = Disclosure(*fields[1:])
    if found.kind > NEVER_ABOVE:
        raise wrong("disclosure.kind")
    if found.direction > 1:
        raise wrong("disclosure.direction")
    _check_bits("disclosure.bits", found.bits, found.kind == NEVER_ABOVE)
    return found


def _check_bits(field, bits, needed):
    if not (8 <= bits <= 40 if needed else bits == 0):
        raise wrong(field)


def pack_proof(statement: bytes, parts: list) -> bytes:
    """Return the proof of a bill or disclosure (its bytes) from its parts."""
    return b"mhp1" + hashlib.sha256(statement).digest() + b"".join(parts)


def proof_of(raw: bytes) -> tuple:
    """Return (SHA-256 of the bill or disclosure, all parts) of a proof."""
    if len(raw) < _PROOF_BYTES:
        raise wrong("proof")
    if raw[:4] != b"mhp1":
        raise wrong("proof.version")
    return bytes(raw[4:_PROOF_BYTES]), memoryview(raw)[_PROOF_BYTES:]
