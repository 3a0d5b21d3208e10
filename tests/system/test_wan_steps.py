"""What keeps a hub from its broker is named by the step that failed: dns, tcp, clock, ca, host name, credentials."""

import asyncio
import contextlib
import subprocess

import pytest
from world import Home, Mosquitto

NOBODY = "mqtt://no-such-name.invalid:1883"  # RFC 6761 6.4: never resolves


@contextlib.asynccontextmanager
async def tried(folder, url, wan=None, **options):
    """A hub that tries to reach the broker at `url`."""
    place = Home(folder, url, [], **options)
    place.settings["wan"] |= wan or {}
    async with place:
        yield place


async def heard(place, seconds=25):
    """Return what the journal says of the first failed attempt, from the step on."""
    if not place.hub.journalled("LINK_DOWN"):
        await place.hub.wait("LINK_DOWN", lambda event: event.get("name") == "LINK_DOWN", seconds)
    detail = place.hub.journalled("LINK_DOWN")[0]["detail"]
    assert detail.startswith("wan ")
    return detail[4:]


def ready_for_tls(folder, *names):
    """Put CA files into the hub's folder before it starts."""
    (folder / "hub").mkdir()
    for name in names:
        (folder / "hub" / name).write_bytes((folder / name).read_bytes())


@pytest.fixture
def broker(tmp_path):
    server = Mosquitto(tmp_path, tls=True).start()
    yield server
    server.kill()


def test_a_name_that_does_not_resolve_is_dns(tmp_path):
    async def run():
        async with tried(tmp_path, NOBODY) as place:
            assert (await heard(place)).startswith("dns ")

    asyncio.run(run())


def test_a_closed_port_is_tcp(tmp_path):
    async def run():
        async with tried(tmp_path, "mqtt://127.0.0.1:1") as place:
            assert await heard(place) == "tcp ECONNREFUSED"

    asyncio.run(run())


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize(
    ("wan", "named"),
    [
        ({"ca": "stranger.der"}, "ca "),
        ({"server_name": "elsewhere.example"}, "host name "),
        ({"ca": "stranger.der", "server_name": "elsewhere.example"}, "ca "),
    ],
)
def test_a_certificate_that_does_not_fit_is_ca_or_host_name(tmp_path, broker, wan, named, bits):
    options = {"bits": 32, "heapsize": "190k"} if bits == 32 else {}

    async def run():
        ready_for_tls(tmp_path, "ca.der", "stranger.der")
        usual = {"ca": "ca.der", "server_name": "localhost"}
        async with tried(tmp_path, f"mqtts://localhost:{broker.port}", usual | wan, clock="board", **options) as place:
            assert (await heard(place)).startswith(named)

    asyncio.run(run())


def test_a_port_that_speaks_no_tls_is_tls_or_tcp(tmp_path):
    async def run():
        certificates = Mosquitto(tmp_path, tls=True)
        ready_for_tls(tmp_path, "ca.der")
        plain = tmp_path / "plain"
        plain.mkdir()
        server = Mosquitto(plain).start()
        assert certificates.port != server.port
        async with tried(tmp_path, f"mqtts://localhost:{server.port}", {"ca": "ca.der"}, clock="board") as place:
            assert (await heard(place)).split(" ")[0] in ("tls", "tcp")
        server.kill()

    asyncio.run(run())


def test_without_the_time_no_handshake_is_tried(tmp_path, broker):
    async def run():
        ready_for_tls(tmp_path, "ca.der")
        wan = {"ca": "ca.der", "server_name": "localhost"}
        connections = broker.log.read_text().count("New connection")
        async with tried(tmp_path, f"mqtts://localhost:{broker.port}", wan) as place:  # the meter says nothing yet
            assert (await heard(place)).startswith("clock ")
            assert broker.log.read_text().count("New connection") == connections
            await place.live_through()
            await place.hub.wait_status("the WAN", lambda status: status["wan"] == "up", 30)

    asyncio.run(run())


def test_a_wrong_password_is_credentials(tmp_path):
    async def run():
        server = Mosquitto(tmp_path)
        passwords = tmp_path / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "hub", "right"], check=True, capture_output=True)
        text = server.config.read_text().replace("allow_anonymous true", "allow_anonymous false")
        server.config.write_text(f"{text}password_file {passwords}\n")
        server.start()
        url = f"mqtt://127.0.0.1:{server.port}"
        async with tried(tmp_path, url, {"user": "hub", "password": "wrong"}) as place:
            assert (await heard(place)).startswith("credentials ")
            place.settings["wan"]["password"] = "right"
            place.hub.set(place.settings)
            await place.hub.restart()
            await place.hub.wait_status("the WAN", lambda status: status["wan"] == "up", 10)
        server.kill()

    asyncio.run(run())


def test_a_url_that_names_no_port_is_refused_before_anything_is_tried(tmp_path):
    async def run():
        async with tried(tmp_path, "mqtt://broker.example:port") as place:
            assert place.hub.journalled("SETTING_REFUSED")[0]["detail"].startswith("wan.url ")

    asyncio.run(run())
