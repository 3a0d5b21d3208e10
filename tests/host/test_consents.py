"""What a power cut has kept from the consent log, on a whole hub: the next start writes it."""

import json
from pathlib import Path

import pytest
from test_tenancy import NOW, Board

from meterhub.app import Hub
from meterhub.store.journal import Journal
from meterhub.store.record import Record
from meterhub.trust.agreements import Agreements

LINKED = {"kid": "coop", "sub": "anna", "regs": ["1-0:1.8.0"], "res": "day", "until": NOW + 5, "made": NOW - 60}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    consent = {**LINKED, "used": 0, "ended": 0, "owed": [[1, "linked", "coop|anna|link", NOW - 60]]}
    Record(f"{tmp_path}/consents").save(json.dumps([consent]).encode())
    (tmp_path / "settings.json").write_text('{"schema": 1, "display": {"driver": "none"}}')
    return tmp_path


def test_a_start_writes_what_is_owed_to_the_consent_log_and_the_link_counts(folder: Path) -> None:
    for _ in range(2):
        hub = Hub(Board(folder))
        entries = [(entry.at, entry.name, entry.detail) for entry in hub.journal.last("consent", 9)]
        assert entries == [(NOW - 60, "linked", "coop|anna|link")]
        assert [one["sub"] for one in hub.consents.live(NOW)] == ["anna"]
    assert b"owed" not in (Record(f"{folder}/consents").load() or b"")


def test_a_start_goes_on_when_the_log_cannot_be_written_and_the_link_does_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Journal.add

    def add_to_full(journal: Journal, kind: str, *entry: object) -> None:
        if kind == "consent":
            raise OSError(28)
        add(journal, kind, *entry)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "add", add_to_full)
    hub = Hub(Board(folder))
    assert hub.consents.live(NOW) == []
    assert hub.journal.last("consent", 9) == []
    assert hub.journal.unwritten == 1
    monkeypatch.undo()
    Agreements(hub.consents, hub.journal).log("CANCELLED", "coop|anna|data")
    assert [entry.name for entry in hub.journal.last("consent", 9)] == ["CANCELLED", "linked"]
    assert [one["sub"] for one in hub.consents.live(NOW)] == ["anna"]
