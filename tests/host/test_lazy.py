"""What is loaded when it is needed: the lists of it are whole, and it goes again."""

import json
import subprocess

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


@pytest.mark.parametrize("bits", [64, 32])
def test_signing_loads_what_it_says_and_can_do_without_it_afterwards(bits: int) -> None:
    done = subprocess.run(
        [toolchain.micropython(bits), "-c", SIGNING],
        capture_output=True,
        text=True,
        env=toolchain.environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    loaded, said, left = json.loads(done.stdout)
    assert (loaded, left) == (said, [])
