"""The website and the operator's registry: only hubs that were provisioned are served; a change of the file shows."""

import sqlite3
import time

import pytest
from recipient_fake_hub import REGS, STEP, FakeHub, b64, history
from test_website import ask, link
from website_site import NOW

from meterhub_tools import cli
from meterhub_tools.owner import documents, keys, registry


@pytest.fixture
def root(tmp_path):
    return keys.load(tmp_path / "keys")


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "registry.sqlite3"
    with registry.open_for_writing(path):
        pass
    return path


@pytest.fixture
def hub(desk, book, monkeypatch):
    """A hub that is online; nobody has provisioned it."""
    from meterhub_tools.website.gate import Gate

    monkeypatch.setattr(desk, "gate", Gate(book))
    point = desk.recipient.point
    hub = FakeHub(
        {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}, history(NOW - 99 * STEP, NOW)
    )
    hub.clock = NOW
    desk.courier.add(hub)
    return hub


@pytest.fixture
def anna(browser):
    return browser(f"registry{time.monotonic_ns()}")


def provision(book, root, hub, signer=None, key=None):
    token = documents.certificate(signer or root, root, hub.hub, key or hub.point, 1, "home", NOW)
    entry = registry.Entry(hub.hub, hub.point, root.kid, "home", token, 1, "UNIX", NOW, "")
    with registry.open_for_writing(book) as opened:
        opened.put(entry, root.point)


def change(book, text, *values):
    with sqlite3.connect(book) as connection:
        connection.execute(text, values)
    connection.close()


def try_to_link(anna, hub, desk):
    before = len(desk.courier.sent)
    answer = anna.post("/hubs/new/", {"hub": hub.hub, "regs": REGS, "res": "half-hour", "years": "1"})
    return answer, len(desk.courier.sent) - before


def refused(anna, hub, desk):
    answer, sent = try_to_link(anna, hub, desk)
    assert answer.status_code == 400
    assert sent == 0
    return answer.content.decode()


def test_provisioned_hub_is_linked_and_asked(anna, hub, book, root):
    provision(book, root, hub)
    assert "linked" in link(anna, hub).content.decode().lower()
    assert ask(anna, hub).status_code == 302


def test_stranger_is_refused_in_plain_words_and_nothing_is_sent(anna, hub, desk):
    assert "only hubs that its operator has set up" in refused(anna, hub, desk)


def test_hub_that_is_provisioned_while_the_site_runs_is_served_at_once(anna, hub, desk, book, root):
    refused(anna, hub, desk)
    provision(book, root, hub)
    assert try_to_link(anna, hub, desk)[0].status_code == 302


def test_linked_hub_that_left_the_registry_is_asked_nothing_but_can_be_revoked(anna, hub, book, root):
    provision(book, root, hub)
    link(anna, hub)
    change(book, "DELETE FROM hubs")
    answer = ask(anna, hub)
    assert answer.status_code == 400
    assert "only hubs that its operator has set up" in answer.content.decode()
    assert anna.post(f"/hubs/{hub.hub}/revoke/").status_code == 302


def test_certificate_by_another_root_is_refused(anna, hub, desk, book, root, tmp_path):
    provision(book, root, hub, signer=keys.load(tmp_path / "another"))
    assert "only hubs" in refused(anna, hub, desk)


def test_certificate_of_another_hub_is_refused(anna, hub, desk, book, root):
    other = FakeHub({"kty": "EC", "crv": "P-256", "x": b64(bytes(hub.point[1:33])), "y": b64(hub.point[33:])}, [])
    provision(book, root, hub)
    token = documents.certificate(root, root, other.hub, other.point, 1, "home", NOW)
    change(book, "UPDATE hubs SET certificate = ?", token)
    assert "only hubs" in refused(anna, hub, desk)


def test_another_key_under_the_same_id_is_refused(anna, hub, desk, book, root):
    provision(book, root, hub)
    change(book, "UPDATE hubs SET key = ?", b"\4" + bytes(64))
    assert "only hubs" in refused(anna, hub, desk)


def test_another_point_under_the_roots_kid_is_refused(anna, hub, desk, book, root, tmp_path):
    thief = keys.load(tmp_path / "thief")
    provision(book, root, hub)
    token = documents.certificate(thief, thief, hub.hub, hub.point, 1, "home", NOW)
    change(book, "UPDATE hubs SET certificate = ?", token)
    change(book, "UPDATE roots SET point = ?", thief.point)
    assert "only hubs" in refused(anna, hub, desk)


def test_registry_that_is_gone_is_said_and_nothing_is_sent(anna, hub, desk, book, root):
    provision(book, root, hub)
    book.unlink()
    assert "cannot look your hub up just now" in refused(anna, hub, desk)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no registry"), (b"no database" * 100, "is it a registry"), (b"", "is not a registry")],
)
def test_website_does_not_start_on_what_is_no_registry(content, said, tmp_path, capsys, monkeypatch):
    from meterhub_tools.website import server

    monkeypatch.setattr(server, "prepare", lambda options: None)  # Django is configured once in this process
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    words = [
        "website",
        "--data",
        str(tmp_path / "d"),
        "--broker",
        "mqtt://127.0.0.1",
        "--port",
        "0",
        "--registry",
        str(path),
    ]
    assert cli.main(words) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert len(shown.splitlines()) == 1
