"""Puts the tests' FakeHub on a broker, with the topics of a real one."""

import paho.mqtt.client as mqtt


class HubOnMqtt:
    """Connects `hub` (FakeHub) to the broker at 127.0.0.1:port; `heard` and `said` are all that crossed it."""

    def __init__(self, hub, port: int, user: str = "", password: str = "") -> None:
        self.hub = hub
        self.heard: list[bytes] = []
        self.said: list[bytes] = []
        self.silent = False
        self._client = client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if user:
            client.username_pw_set(user, password)
        client.will_set(self._topic("availability"), b"offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.connect("127.0.0.1", port)
        client.loop_start()

    def _topic(self, kind: str) -> str:
        return f"meterhub/{self.hub.hub}/up/{kind}"

    def _on_connect(self, client, *_) -> None:
        client.subscribe(f"meterhub/{self.hub.hub}/down/export", 1)
        client.publish(self._topic("card"), self.hub.card(), qos=1, retain=True)
        client.publish(self._topic("availability"), b"online", qos=1, retain=True)

    def _on_message(self, _client, _data, message) -> None:
        self.heard.append(message.payload)
        if not self.silent:
            for answer in self.hub.handle(message.payload):
                self.say(answer)

    def say(self, message: bytes) -> None:
        self.said.append(message)
        self._client.publish(self._topic("export"), message, qos=1)

    def stop(self) -> None:
        self._client.publish(self._topic("availability"), b"offline", qos=1, retain=True).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()
