"""The embedded broker: who gets in, who may do what, and that it comes back where it was."""

import time

import paho.mqtt.client as mqtt
import pytest

from meterhub_tools.broker import Broker, User, covers, free_port, hub_user, recipient_user, role_user
from meterhub_tools.errors import ToolError
from meterhub_tools.website import courier

HUB = "K7QX2M9D4T1B8RWE"


class Client:
    """A client that remembers what it got."""

    def __init__(self, broker, name="", password="", will=""):
        self.got = []
        self.answers = []
        self.subscribed = []
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if name:
            self.client.username_pw_set(name, password)
        if will:
            self.client.will_set(will, b"offline", 1, retain=True)
        self.client.on_connect = lambda *got: self.answers.append(got[3])
        self.client.on_subscribe = lambda *got: self.subscribed.extend(got[3])
        self.client.on_message = lambda _c, _d, message: self.got.append((message.topic, message.payload))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        until(lambda: self.answers)

    def subscribe(self, topic):
        before = len(self.subscribed)
        self.client.subscribe(topic, 1)
        until(lambda: len(self.subscribed) > before)

    def publish(self, topic, payload, retain=False):
        self.client.publish(topic, payload, 1, retain).wait_for_publish(5)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def until(true, timeout_s=10):
    due = time.monotonic() + timeout_s
    while not true() and time.monotonic() < due:
        time.sleep(0.02)
    assert true()


@pytest.fixture
def clients():
    made = []

    def connect(*args, **more):
        made.append(Client(*args, **more))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.mark.parametrize(
    ("allowed", "wanted", "said"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a/+", True),
        ("#", "#", True),
        ("a/+", "a/#", False),
        ("a/b", "a/+", False),
        ("a/+", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/b", "x/b", False),
    ],
)
def test_filter_covers_what_lies_within_it(allowed, wanted, said):
    assert covers(allowed, wanted) is said


def test_anybody_gets_in_where_no_users_are_named(clients):
    with Broker() as broker:
        one, two = clients(broker), clients(broker)
        two.subscribe("a/+")
        one.publish("a/b", b"hello")
        until(lambda: two.got == [("a/b", b"hello")])


def test_retained_message_and_last_will_reach_who_comes_later(clients):
    with Broker() as broker:
        hub = clients(broker, will="hub/availability")
        hub.publish("hub/card", b"card", retain=True)
        site = clients(broker)
        site.subscribe("hub/+")
        until(lambda: ("hub/card", b"card") in site.got)
        hub.client.socket().shutdown(2)
        until(lambda: ("hub/availability", b"offline") in site.got)


def test_wrong_name_or_password_does_not_get_in(clients):
    with Broker([User("site", "right")]) as broker:
        assert not clients(broker, "site", "right").answers[0].is_failure
        for name, password in (("site", "wrong"), ("nobody", "right"), ("", "")):
            assert clients(broker, name, password).answers[0].is_failure


def test_hub_and_recipient_reach_only_what_is_theirs(clients):
    other = "0" * 16
    with Broker([hub_user(HUB, "h"), recipient_user("site", "s"), hub_user(other, "o"), User("ear", "e")]) as broker:
        hub, site, neighbour, ear = (
            clients(broker, name, password)
            for name, password in ((HUB, "h"), ("site", "s"), (other, "o"), ("ear", "e"))
        )
        ear.subscribe("#")
        hub.subscribe(f"meterhub/{HUB}/down/#")
        site.subscribe(f"meterhub/{HUB}/up/export")
        neighbour.subscribe(f"meterhub/{HUB}/down/#")
        neighbour.subscribe("#")
        assert [code.is_failure for code in neighbour.subscribed] == [True, True]
        neighbour.publish(f"meterhub/{HUB}/up/export", b"forged")
        site.publish(f"meterhub/{HUB}/up/export", b"forged")
        site.publish(f"meterhub/{HUB}/down/export", b"request")
        hub.publish(f"meterhub/{HUB}/up/export", b"answer")
        until(lambda: site.got and hub.got and len(ear.got) > 1)
        assert hub.got == [(f"meterhub/{HUB}/down/export", b"request")]
        assert site.got == [(f"meterhub/{HUB}/up/export", b"answer")]
        assert neighbour.got == []
        assert len(ear.got) == 2


def test_recipient_reaches_what_its_features_need_and_no_more(clients):
    kid, other = "K" * 16, "R" * 16
    users = [hub_user(HUB, "h"), recipient_user("site", "s", kid), recipient_user("plain", "p")]
    with Broker(users) as broker:
        hub, site, plain = (clients(broker, *one) for one in ((HUB, "h"), ("site", "s"), ("plain", "p")))
        hub.subscribe(f"meterhub/{HUB}/down/#")
        for kind in (*courier.KINDS, f"role-{kid}", f"role-{other}", "time", "#"):
            for one in (site, plain):
                one.subscribe(f"meterhub/{HUB}/up/{kind}")
        count = len(courier.KINDS)
        assert [code.is_failure for code in site.subscribed] == [False] * (count + 1) + [True] * 3
        assert [code.is_failure for code in plain.subscribed] == [False] * count + [True] * 4
        kinds = ("export", "receipt", "batch", "received", "order")
        for kind in ("command", "time", "role-" + kid, *kinds):
            plain.publish(f"meterhub/{HUB}/down/{kind}", b"plain")
            site.publish(f"meterhub/{HUB}/down/{kind}", b"site")
        site.publish(f"meterhub/{HUB}/up/batch", b"forged")
        hub.publish(f"meterhub/{HUB}/up/batch", b"sealed")
        hub.publish(f"meterhub/{HUB}/up/role-{kid}", b"letter")
        until(lambda: len(hub.got) == 8 and len(site.got) == 2 and plain.got)
        assert {topic.split("/")[-1] for topic, said in hub.got if said == b"site"} == set(kinds)
        assert {topic.split("/")[-1] for topic, said in hub.got if said == b"plain"} == set(kinds[:3])
        assert [said for _, said in site.got] == [b"sealed", b"letter"]
        assert [said for _, said in plain.got] == [b"sealed"]


def test_role_commands_hubs_and_hears_letters_to_itself_alone(clients):
    acme, rival = "K" * 16, "R" * 16
    with Broker([hub_user(HUB, "h"), role_user("acme", "a", acme), role_user("rival", "r", rival)]) as broker:
        hub, role, other = (
            clients(broker, name, password) for name, password in ((HUB, "h"), ("acme", "a"), ("rival", "r"))
        )
        hub.subscribe(f"meterhub/{HUB}/down/#")
        for one, kid in ((role, acme), (other, rival)):
            one.subscribe(f"meterhub/+/up/role-{kid}")
            one.subscribe(f"meterhub/{HUB}/up/card")
        for topic in (f"meterhub/+/up/role-{acme}", "meterhub/+/up/#", f"meterhub/{HUB}/up/export"):
            other.subscribe(topic)
        assert [code.is_failure for code in role.subscribed] == [False, False]
        assert [code.is_failure for code in other.subscribed] == [False, False, True, True, True]
        role.publish(f"meterhub/{HUB}/up/role-{rival}", b"forged")
        role.publish(f"meterhub/{HUB}/down/export", b"no recipient")
        role.publish(f"meterhub/{HUB}/down/command", b"command")
        role.publish(f"meterhub/{HUB}/down/received", b"receipt")
        hub.publish(f"meterhub/{HUB}/up/role-{acme}", b"letter")
        hub.publish(f"meterhub/{HUB}/up/card", b"card")
        until(lambda: len(hub.got) == 2 and len(role.got) == 2 and len(other.got) == 1)
        assert hub.got == [
            (f"meterhub/{HUB}/down/command", b"command"),
            (f"meterhub/{HUB}/down/received", b"receipt"),
        ]
        assert role.got == [(f"meterhub/{HUB}/up/role-{acme}", b"letter"), (f"meterhub/{HUB}/up/card", b"card")]
        assert other.got == [(f"meterhub/{HUB}/up/card", b"card")]


def test_broker_comes_back_on_the_same_port(clients):
    broker = Broker()
    broker.start()
    client = clients(broker)
    broker.stop()
    until(lambda: not client.client.is_connected())
    broker.start()
    until(client.client.is_connected)
    broker.stop()


def test_port_that_is_taken_is_said():
    with Broker() as broker, pytest.raises(ToolError, match=str(broker.port)):
        Broker(port=broker.port).start()


def test_free_port_is_none_that_outgoing_connections_get():
    assert all(20_000 <= free_port() < 32_000 for _ in range(20))


def test_address_holds_odd_passwords():
    assert Broker(port=1).url("a b", "p@s/s:") == "mqtt://a%20b:p%40s%2Fs%3A@127.0.0.1:1"


def test_password_is_in_no_repr():
    assert "secret" not in repr(User("name", "secret"))
