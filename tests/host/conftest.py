"""The website under test: Django can be configured once in a process, so all files share it."""

import pytest
from website_site import PASSWORD, StraightCourier

from meterhub_tools.website import options, server


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("website")


@pytest.fixture(scope="session")
def site(folder):
    """Configure Django once for this process; return the desk's module."""
    told = options.Options(broker="mqtt://127.0.0.1", data=folder, port=8080, name="Green Co-op")
    server.prepare(told)
    with pytest.MonkeyPatch.context() as patch:
        from meterhub_tools.website import courier, state

        patch.setattr(courier, "Courier", lambda *_: StraightCourier())
        with server.open_desk(told):
            yield state


@pytest.fixture
def desk(site):
    from django.core.cache import cache

    cache.clear()
    desk = site.desk()
    desk.courier.__init__()
    return desk


@pytest.fixture
def browser(desk):
    from django.test import Client

    def open_one(name=None):
        client = Client(headers={"host": "127.0.0.1"})
        if name:
            client.post("/sign-up/", {"meter_id": "EMT 2041-77", "username": name, "password": PASSWORD})
        return client

    return open_one
