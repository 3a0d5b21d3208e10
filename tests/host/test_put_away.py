"""What a hub that is stopped has counted is on flash, though Ctrl-C comes again while it is being saved."""

import json
from pathlib import Path

import pytest
from test_tenancy import NOW, Board

from meterhub import app
from meterhub.store.record import Record

SETTINGS = {"schema": 1, "display": {"driver": "none"}, "meters": [{"protocol": "pulse", "input": "pulse0"}]}


def test_another_ctrl_c_takes_nothing_from_what_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    hub = app.Hub(Board(tmp_path))
    hub.meters[0].last.note(NOW, {}, 7)
    assert app.Hub(Board(tmp_path)).meters[0].last.pulses == 0  # seven wait for the ten seconds to be over
    save, pressed = Record.save, []

    def interrupted(record: Record, blob: bytes) -> None:
        if len(pressed) < 3:
            pressed.append(record)
            raise KeyboardInterrupt
        save(record, blob)

    monkeypatch.setattr(Record, "save", interrupted)
    app.end(hub)
    assert len(pressed) == 3
    assert app.Hub(Board(tmp_path)).meters[0].last.pulses == 7
