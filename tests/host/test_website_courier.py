"""The website's ear at the broker: whatever a hub says, and whatever goes wrong with it, the next message is heard."""

import base64
import threading
import time

import paho.mqtt.client as mqtt
import pytest

from meterhub_tools.broker import Broker, User, free_port
from meterhub_tools.recipient import Recipient
from meterhub_tools.website.courier import Courier


class Ear:
    """A courier that nobody has connected, and a hub whose messages it is given as the broker would."""

    def __init__(self):
        self.heard, self.fails = [], False
        self.courier = Courier("mqtt://127.0.0.1:1", None, self._take)
        self.hub = Recipient("x", Recipient.new_pem())
        self.courier.watch(self.hub.kid)

    def _take(self, hub, raw):
        if self.fails:
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "no database keeps it")
        self.heard.append(raw)

    def say(self, kind, payload):
        message = mqtt.MQTTMessage(topic=f"meterhub/{self.hub.kid}/up/{kind}".encode())
        message.payload = payload
        self.courier._client._handle_on_message(message)

    def card(self, at, name):
        key = base64.urlsafe_b64encode(self.hub.point).rstrip(b"=").decode()
        claims = {"v": 1, "hub": self.hub.kid, "key": key, "at": at, "name": name, "have": [0, at]}
        self.say("card", self.hub.sign(claims, "mhx-card").encode())
        return self.courier.watch(self.hub.kid).card.name


@pytest.fixture
def ear():
    return Ear()


def test_what_the_website_cannot_store_leaves_it_hearing(ear, caplog):
    ear.fails = True
    ear.say("export", b"one")
    assert "met an error of the website" in caplog.text
    ear.fails = False
    ear.say("export", b"two")
    assert ear.heard == [b"two"]


def test_card_of_a_hub_whose_clock_was_ahead_is_not_the_last_one(ear):
    now = int(time.time())
    assert ear.card(now - 10, "first") == "first"
    assert ear.card(now - 20, "older") == "first"
    assert ear.card(now + 10**8, "ahead") == "ahead"
    assert ear.card(now + 60, "right") == "right"


def test_two_that_read_and_then_write_take_turns(browser):
    from django.db import OperationalError, connection, transaction

    from meterhub_tools.website.models import Account

    browser("turns" + str(time.monotonic_ns()))
    failed = []

    def other():
        try:
            with transaction.atomic():
                Account.objects.filter(username="nobody").update(username="nobody")
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        Account.objects.count()
        thread.start()
        thread.join(0.3)  # it waits for us; else it has written what we have read before
        Account.objects.filter(username="nobody").update(username="nobody")
    thread.join()
    assert failed == []


def test_broker_that_is_away_or_refuses_is_said_once_and_why(caplog):
    port = free_port()
    courier = Courier(f"mqtt://site:right@127.0.0.1:{port}", None, lambda hub, raw: None)
    courier._client.reconnect_delay_set(1, 1)

    def told(what):
        """Wait until this is said of the broker."""
        due = time.monotonic() + 30
        while f"the broker 127.0.0.1:{port} is {what}" not in caplog.messages:
            assert time.monotonic() < due, caplog.messages
            time.sleep(0.05)

    courier.start()
    try:
        told("away: no connection; it is tried again")
        time.sleep(2.5)  # two more attempts
        assert len(caplog.messages) == 1
        with Broker([User("site", "wrong")], port):
            told("away: Not authorized; it is tried again")
        with Broker([User("site", "right")], port):
            told("there again")
            courier.stop()
            assert caplog.messages[-1].endswith("there again")  # whoever goes himself says nothing
    finally:
        courier.stop()
    assert "right" not in caplog.text
