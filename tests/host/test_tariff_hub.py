"""A whole hub with a tariff: the display shows its prices and costs; a hub without one has none of it in memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_bad_input import Bench, said  # noqa: F401 - said is a fixture
from test_tenancy import NOW, STEP

from meterhub_tools import toolchain

from meterhub.codec import tariff  # isort: skip
from meterhub.ihd import pages  # isort: skip
from meterhub.store import tariffs  # isort: skip

DOCUMENT = {
    "v": 1,
    "id": "eco-1",
    "currency": "GBP",
    "zone": "UTC0",
    "kind": "linear",
    "interval_s": 1800,
    "scale": -5,
    "round": 2,
    "bands": [{"name": "even", "price": 10000}, {"name": "odd", "price": 30000}],
    "days": [[0, 0, 30, 1, *(n for hour in range(1, 24) for n in (60 * hour, 0, 60 * hour + 30, 1))]],
}


def put(bench: Bench, since: int) -> None:
    kept = tariffs.Kept(since, "KID", 1, tariff.packed(DOCUMENT))
    tariffs.change(bench.hub, ((tariffs.IN_FORCE, tariffs.blob(kept)),))


def test_the_display_shows_it_and_a_restart_loses_nothing(tmp_path: Path, said: list[str]) -> None:  # noqa: F811
    bench = Bench(tmp_path / "hub", said)
    assert bench.hub.tariffs is None and bench.hub.model.tariff == ()
    first = NOW - NOW % STEP
    put(bench, first)
    bench = Bench(tmp_path / "hub", said, at=first)
    bench.hub.extras.start()
    for n in range(4):
        bench.tell(first + n * STEP, 1000000 + 1000 * n)
    bench.tell(first + 3 * STEP + 60, 1003010)
    bench.hub.household.tick()
    names = ("even", "odd") if first // STEP % 2 == 0 else ("odd", "even")
    assert bench.hub.tariffs.registers == ([2000, 1000] if names[0] == "even" else [1000, 2000])
    model = bench.hub.model
    price = {"even": 10000, "odd": 30000}
    booked = 2 * price[names[0]] + price[names[1]]
    assert model.rate == names[1] and model.price_e5 == price[names[1]]
    assert model.today_cost[0] == booked + price[names[1]] // 100
    assert pages.now(model).title == f"NOW {names[1]}"
    bench.hub.put_away()
    again = Bench(tmp_path / "hub", said, at=first + 3 * STEP + 90)
    again.hub.extras.start()
    assert again.hub.tariffs.registers == bench.hub.tariffs.registers and again.hub.tariffs.good == first + 3 * STEP


@pytest.mark.skipif(sys.platform != "linux", reason="the unix port is built for Linux")
def test_a_hub_without_a_tariff_has_nothing_of_it_in_memory() -> None:
    asked = "import meterhub.app, sys; print([name for name in sys.modules if 'tariff' in name or 'rates' in name])"
    ran = subprocess.run(
        [toolchain.micropython(32), "-c", asked],
        env=toolchain.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == "[]", ran.stderr
