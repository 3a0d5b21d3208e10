"""A hub's courier for the website's tests: no broker in between."""

import time

from recipient_fake_hub import STEP

NOW = int(time.time()) // STEP * STEP
PASSWORD = "correct horse 12"


class StraightCourier:
    """Stands where courier.py does and hands everything to the hub in the same breath, one after the other."""

    connected = True

    def __init__(self):
        self.hubs = {}
        self.sent = []
        self.kinds = []  # of what was sent
        self.waiting = None  # what is said while an answer is handed on comes after it

    def start(self):
        pass

    stop = start

    def add(self, hub, online=True):
        from meterhub_tools.recipient import read_card
        from meterhub_tools.website.courier import Presence

        self.hubs[hub.hub] = (hub, Presence(read_card(hub.card(), hub.hub), online, NOW))

    def watch(self, hub):
        from meterhub_tools.website.courier import Presence

        return self.hubs[hub][1] if hub in self.hubs else Presence()

    def wait_for_card(self, hub, timeout_s):
        return self.watch(hub).card

    def send(self, hub, message, kind="export"):
        from meterhub_tools.website import state

        self.sent.append(message)
        self.kinds.append(kind)
        if kind != "export":
            return
        if self.waiting is not None:
            self.waiting.append((hub, message))
            return
        self.waiting = [(hub, message)]
        try:
            while self.waiting:
                hub, message = self.waiting.pop(0)
                for answer in self.hubs[hub][0].handle(message):
                    state.desk().on_message(hub, answer)
        finally:
            self.waiting = None
