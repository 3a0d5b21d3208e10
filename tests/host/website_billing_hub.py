"""A hub with private billing: the tests' FakeHub with the readings and batches of a house (billing_house.py)."""

import hashlib
import json

from billing_house import HUB_KEY, House
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey
from recipient_fake_hub import FakeHub, crockford, unb64

from meterhub_tools.billing import prover

from meterhub.codec import billing  # isort: skip


class BillingHub(FakeHub):
    """Agrees to private billing, too; sends the keys of its days after the readings where they are asked for, and
    makes bills itself, no second one that overlaps another."""

    def __init__(self, recipient_jwk: dict, house: House) -> None:
        readings = []
        for at in range(house.start, house.stop + 1, house.step_s):
            there = house.registers.get(at)
            readings.append((at, 1, there) if there else (at, 0, (None, None)))
        super().__init__(recipient_jwk, readings)
        pem = ec.derive_private_key(HUB_KEY, ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.key = ECKey.import_key(pem)
        numbers = self.key.public_key.public_numbers()
        self.point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.hub = crockford(hashlib.sha256(self.point).digest()[:10])
        self.house = house
        self.billed: set = set()
        self.receipts: list = []
        self.made: set = set()

    def on_request(self, message: dict) -> list[bytes]:
        answers = super().on_request(message)
        if self.request["what"] == "proof":
            if self.request["sub"] not in self.billed:
                return [self.end("refused", "NOT_LINKED", field="keys")]
            if any(made != self.about and made[0] < self.about[1] and self.about[0] < made[1] for made in self.made):
                return [self.end("refused", "NOT_CONSENTED", field="second bill")]
        if self.request.get("of") == "bill":
            self.linked.add(self.request["sub"])  # that one stays
            self.billed.discard(self.request["sub"])
        return answers

    def on_proof(self, message: dict) -> list[bytes]:
        if self.request["what"] != "bill":
            return super().on_proof(message)
        linked, self.linked = self.linked, set()
        self.request["what"] = "link"
        answers = super().on_proof(message)
        self.request["what"] = "bill"
        self.billed |= self.linked
        self.linked = linked
        return answers

    @property
    def about(self) -> tuple:
        """What bill is asked for."""
        return self.request["from"], self.request["to"], self.request["tariff"]

    def bill(self) -> bytes:
        """Return the chunk with the bill that is asked for."""
        house, wish = self.house, self.request
        days = [day for day in house.batches if wish["from"] <= 1800 * billing.Batch(day).first < wish["to"]]
        mine = prover.House(days, house.keys(), house.registers)
        bill, proof = prover.prove_bill(mine, unb64(wish["tariff"]), unb64(wish["nonce"]))
        return len(bill).to_bytes(2, "little") + bill + proof

    def cut(self, size: int = 336) -> list[bytes]:
        if self.request["what"] == "proof":
            self.made.add(self.about)
            self.series, self.count = 1, (self.request["to"] - self.request["from"]) // 1800
            return [self.bill()]
        chunks = super().cut(size)
        self.series = len(chunks)
        return chunks + ([self.house.keys()] if self.request.get("keys") else [])

    def chunk(self, seq: int, plain: bytes | None = None, **header) -> bytes:
        if self.request["what"] == "proof" and seq < len(self.chunks):
            header = {"typ": "mhx-bill"} | header
        elif self.series <= seq < len(self.chunks):
            header = {"typ": "mhx-keys"} | header
        return super().chunk(seq, plain, **header)

    def batches(self) -> list[bytes]:
        """Return what it says on up/batch, in order."""
        return list(self.house.batches)

    def take_receipt(self, raw: bytes) -> dict:
        """Return the claims of a batch's receipt, whose signature is right."""
        claims: dict = json.loads(jws.deserialize_compact(raw.decode(), self.recipient, algorithms=["ES256"]).payload)
        self.receipts.append(claims)
        return claims
