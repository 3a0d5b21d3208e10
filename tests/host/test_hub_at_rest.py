"""What a hub has in memory while nothing happens: nothing that only some hubs, or a moment, need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_bad_input import Bench, said  # noqa: F401 - said is a fixture

from meterhub_tools import toolchain

from meterhub import lazy  # isort: skip
from meterhub.store.record import Record  # isort: skip
from meterhub.trust.agreements import Agreements  # isort: skip

SELDOM = (
    "agreed",
    "applets.bucket",
    "applets.export",
    "billing_desk",
    "codec.billing",
    "command_desk",
    "ihd.entries",
    "letterbox",
    "loads",
    "market",
    "notices",
    "supply",
    "tariff_desk",
)
AT_START = ("opening", "meters.kinds", "store.home", "store.settings_table", "store.transaction", "trust.agreements")


@pytest.mark.skipif(sys.platform != "linux", reason="the unix port is built for Linux")
def test_what_is_seldom_needed_is_not_in_memory() -> None:
    ran = subprocess.run(
        [toolchain.micropython(32), "-c", "import meterhub.app, sys; print(' '.join(sys.modules))"],
        env=toolchain.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = ran.stdout.split()
    assert "meterhub.household" in loaded, ran.stderr
    assert [name for name in SELDOM if "meterhub." + name in loaded] == []


def test_where_nobody_has_a_key_what_writes_letters_goes_again(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    hub = Bench(tmp_path / "hub", said).hub
    letters = hub.letters
    assert letters.alert("DNO", "POWER_OUTAGE") == [] and letters.is_idle
    hub.look_after_market(hub.clock.now())
    assert not {"meterhub.letterbox", "meterhub.market"} & set(sys.modules) and hub.letters is not letters


def test_where_there_are_keys_it_stays(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    hub = Bench(tmp_path / "hub", said).hub
    hub.strict_record("roles").save(b"[]")
    letters = hub.letters
    hub.look_after_market(hub.clock.now())
    assert hub.letters is letters


def test_what_a_letter_was_sent_of_stays_known(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    hub = Bench(tmp_path / "hub", said).hub
    letters = hub.letters
    letters.charge("KID", 1, 500, 0, 0, 0)
    hub.look_after_market(hub.clock.now())
    assert hub.letters is letters


def test_private_billing_comes_with_its_consent_and_goes_with_it(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    hub = Bench(tmp_path / "hub", said).hub
    now = hub.clock.now()
    hub.extras.tick(now)
    assert hub.billing is None
    claims = {"what": "bill", "sub": "anna", "regs": ["1-0:1.8.0"], "until": now + 86400}
    agreed = Agreements(hub.consents, hub.journal)
    agreed.grant("coop", claims, now, "coop|anna", "0011")
    started: list[str] = []
    hub.start = lambda name, service: started.append(name)
    hub.extras.tick(now)
    hub.extras.tick(now)
    assert started == ["billing"] and hub.billing is not None
    hub.household.tick()
    (shown,) = hub.model.consents
    assert (shown.what, shown.key["what"]) == ("private billing", "bill")
    hub.receive(b"batch", b"x" * 2000)
    hub.billing.due = now + 500
    hub.greet()
    assert hub.billing.due == 1
    assert hub.website() == ""  # who only has billing shows no notices
    agreed.revoke(hub.consents.bill(), now, "coop|anna")
    hub.extras.tick(now)
    assert hub.billing is None and "meterhub.billing_desk" not in sys.modules
    hub.receive(b"batch", b"x")
    security = [(entry.name, entry.detail) for entry in hub.journal.last("security", 2)]
    assert security == [("UNSUPPORTED", "wan topic"), ("OVERSIZED", "batch")]


def test_what_only_a_start_needs_goes_again(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    folder = tmp_path / "hub"
    consent = {"kid": "K", "sub": "s", "regs": [], "res": "day", "until": 0, "made": 1, "used": 0, "ended": 2}
    folder.mkdir()
    Record(str(folder / "consents")).save(json.dumps([consent | {"owed": [[1, "revoked", "K", 2]]}]).encode())
    lazy.let_go(lazy.parts(AT_START))
    hub = Bench(folder, said).hub
    assert hub.consents.owed() == []  # the entry that a power cut has kept from the journal is there now
    assert [name for name in AT_START if "meterhub." + name in sys.modules] == []
