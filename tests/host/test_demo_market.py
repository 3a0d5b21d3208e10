"""The demo's hub belongs to somebody: what the demo says to type makes a market role, and the hub answers it."""

import asyncio
import io
import json
import shlex
import threading

import pytest

from meterhub_tools import cli
from meterhub_tools.demo import command
from meterhub_tools.demo.progress import Progress
from meterhub_tools.demo.stage import Plan, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    made = Stage(
        Plan(folder=tmp_path_factory.mktemp("demo"), history_s=3 * 86400), Progress(io.StringIO()), patient=True
    )
    done(made.__aenter__())
    done(made.read_history())
    yield made
    done(made.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


def test_what_the_demo_says_to_type_works_as_it_stands(stage, monkeypatch, capsys):
    _, export, *lines = command.roles_hint(stage.plan, stage.broker, stage.keys).splitlines()
    for word in shlex.split(export)[1:]:
        monkeypatch.setenv(*word.split("=", 1))
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0, line
    assert "1-0:1.7.0" in capsys.readouterr().out
    assert cli.main(["command", "--role", "SUP", "--hub", "home", "supply.disable", "--wait", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "NOT_AVAILABLE"
    assert cli.main(["role", "grant", "acme", "--hub", "home", "--from", "2d"]) == 0
    words = "command --role acme --hub home read.profile_import --from 1d --to now --wait --json"
    capsys.readouterr()
    assert cli.main(words.split()) == 0
    assert set(json.loads(capsys.readouterr().out)["answer"]["quality"]) == {"1"}


def test_a_broker_of_ones_own_is_not_written_out_with_its_password(stage):
    plan = Plan(broker="mqtt://me:secret@broker.example")
    hint = command.roles_hint(plan, plan.broker, stage.keys)
    assert "secret" not in hint and "--broker" in hint
