"""What is loaded when it is needed: the lists of it are whole, and it goes again."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meterhub_tools import toolchain

SIGNING = """
import json, os
from meterhub import lazy
from meterhub.codec import base64url  # a hub always has it
from meterhub.crypto.drbg import Drbg
from meterhub.trust import identity

class Record:
    raw = None
    def load(self): return self.raw
    def save(self, raw): self.raw = raw

def run(steps):
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value

before = lazy.loaded()
me = run(identity.load(Record(), Drbg(os.urandom(48))))
token = run(me.sign("test", {}))
assert run(identity.verify(me.public, token))
loaded = lazy.loaded() - before
lazy.let_go(lazy.parts(identity.SIGNING) - before)
print(json.dumps([sorted(loaded), sorted(lazy.parts(identity.SIGNING)), sorted(lazy.loaded() - before)]))
assert run(identity.verify(me.public, token))
"""


def told(program: str, bits: int) -> Any:
    """Run a program where a hub runs; return what it prints."""
    words = [toolchain.micropython(bits), "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, env=toolchain.environment(), check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("bits", [64, 32])
def test_signing_loads_what_it_says_and_can_do_without_it_afterwards(bits: int) -> None:
    loaded, said, left = told(SIGNING, bits)
    assert (loaded, left) == (said, [])


LETTER = """
import json, os
from meterhub import lazy
from meterhub.codec import base64url  # a hub always has these
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.store import files
from meterhub.trust import identity

class Record:
    raw = None
    def load(self): return self.raw
    def save(self, raw): self.raw = raw

drbg = Drbg(os.urandom(48))
me = run(identity.load(Record(), drbg))
lazy.let_go(lazy.parts(identity.SIGNING))
before = lazy.loaded()

def letter_of():
    from meterhub.trust import letter
    token = run(me.sign("mhc-letter", {}))
    key = run(letter.seal(token, me.public, drbg))[1]
    assert len(letter.received_mac(key, 1)) == 16
    return lazy.parts(identity.SIGNING + letter.SEALING) | {"meterhub.trust.letter"}

def verified():
    from meterhub.trust import key_tables
    tables = key_tables.KeyTables(FOLDER, me.derived_key(key_tables.LABEL))
    token = run(me.sign("t", {}))
    for _ in range(2):
        assert run(tables.verify(me.public, token))
        run(tables.build())
        tables.let_go()
    return lazy.parts(identity.SIGNING + key_tables.BUILDING) | {"meterhub.trust.key_tables"}

def around(work):
    said = work()
    loaded = lazy.loaded() - before
    lazy.let_go(said - before)
    return [sorted(loaded), sorted(said - before), sorted(lazy.loaded() - before)]

print(json.dumps([around(letter_of), around(verified), around(letter_of)]))
"""


@pytest.mark.parametrize("bits", [64, 32])
def test_letters_and_tables_load_what_they_say_and_can_do_without_it_afterwards(bits: int, tmp_path: Path) -> None:
    for loaded, said, left in told(LETTER.replace("FOLDER", repr(str(tmp_path / "keys"))), bits):
        assert (loaded, left) == (said, [])


BATCH = """
import json
from meterhub import lazy
from meterhub import errors, trust  # a hub always has these
from meterhub.codec import base64url
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run

before = lazy.loaded()

def work():
    from meterhub.trust import batches
    place = (20454, 1800, 20454 * 48, 1, 255, 0)
    body = run(batches.whole_day(b"h" * 10, b"c" * 16, b"k" * 32, place, (bytes(32),) * 2, (5, None), [(9, None)]))
    assert len(batches.signed(body, bytes(64))) == 108 + 1 + 3 * 33 + 64
    return lazy.parts(batches.NEEDS) | {"meterhub.trust.batches"}

said = work()
loaded = lazy.loaded() - before
lazy.let_go(said - before)
print(json.dumps([sorted(loaded), sorted(said - before), sorted(lazy.loaded() - before)]))
"""


@pytest.mark.parametrize("bits", [64, 32])
def test_a_batch_loads_what_it_says_and_can_do_without_it_afterwards(bits: int) -> None:
    loaded, said, left = told(BATCH, bits)
    assert (loaded, left) == (said, [])


BILLING = """
import json, sys
from meterhub import billing_desk, lazy
from meterhub.crypto.drbg import Drbg
from meterhub.trust import identity

before = lazy.loaded()

def work():
    from meterhub.applets import billing
    from meterhub.codec import jose
    from meterhub.crypto import ecdsa
    from meterhub.store import tariffs
    from meterhub.trust import batches

work()
loaded = lazy.loaded() - before
lazy.let_go(lazy.parts(billing_desk.WORK) - before)
print(json.dumps([sorted(loaded - lazy.parts(billing_desk.WORK)), sorted(lazy.loaded() - before)]))
"""


@pytest.mark.parametrize("bits", [64, 32])
def test_private_billing_loads_what_it_says_and_goes_again(bits: int) -> None:
    beside, left = told(BILLING, bits)
    # what a hub at rest has
    at_rest = [
        "codec.base64url",
        "codec.load_profile",
        "store",
        "crypto.equal",
        "crypto.steps",
        "hal",
        "hal.ticks",
        "lazy",
        "trust.consents",
    ]
    assert (left, [name for name in beside if name.partition(".")[2] not in at_rest]) == (beside, [])
