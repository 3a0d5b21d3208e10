"""The Wi-Fi of the boards that have one: joined, and joined again whenever it is lost.

Source   MicroPython 1.25 extmod/network_cyw43.c and ports/esp32/network_wlan.c: what WLAN.status() says on each port
Errors   none: what keeps the network from being joined is told in plain words, and tried again
Runs on  device only
"""

import asyncio
import sys

import network
from micropython import const

_JOIN_S = const(20)
_PAUSE_S = const(10)
_LOOK_MS = const(500)
_STALE_S = const(5)  # the ESP32 still shows the last attempt's end when the next one begins
_TROUBLES = (  # a port has those that its radio can tell apart
    ("STAT_WRONG_PASSWORD", "wrong password"),
    ("STAT_HANDSHAKE_TIMEOUT", "wrong password"),
    ("STAT_NO_AP_FOUND", "network not found"),
    ("STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD", "network too weak"),
    ("STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD", "network of another security"),
    ("STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY", "network of another security"),
    ("STAT_BEACON_TIMEOUT", "network too weak"),
    ("STAT_CONNECT_FAIL", "refused"),
)
_ESP32_4WAY_TIMEOUT = const(15)  # esp_wifi_types.h: how most access points answer a wrong password
_CYW43_NOIP = const(2)  # cyw43.h: joined, and waiting for an address


class Radio:
    """One network. wifi: {"ssid", "password", "country"}; tell: function(words), called when a join fails anew."""

    def __init__(self, wifi: dict, tell) -> None:
        self._wifi = wifi
        self._tell = tell
        self._told = ""
        self._wlan = network.WLAN(network.STA_IF)
        if wifi.get("country"):
            network.country(wifi["country"])
        self._keeper = asyncio.create_task(self._keep_joined())

    async def joined(self) -> None:
        """Return when the network is joined and has given an address."""
        while not self._wlan.isconnected():
            await asyncio.sleep_ms(_LOOK_MS)

    def link(self) -> dict:
        """Return the network's name and how strongly it is received (dBm); nothing when it is not joined."""
        if not self._wlan.isconnected():
            return {}
        return {"ssid": self._wifi["ssid"], "rssi": self._wlan.status("rssi")}

    async def _keep_joined(self):
        while True:
            if self._wlan.isconnected():
                self._told = ""
            else:
                trouble = await self._join()
                if trouble and trouble != self._told:
                    self._tell("wifi " + trouble)
                self._told = trouble
            await asyncio.sleep(_PAUSE_S)

    async def _join(self):
        """Try once; return what came of it in words, "" when the network is joined."""
        try:
            self._wlan.active(True)
            if sys.platform == "esp32":
                self._wlan.config(reconnects=0)  # the trying again is ours: only then status() keeps the reason
            self._wlan.connect(self._wifi["ssid"], self._wifi.get("password") or None)
        except OSError:
            self._wlan.active(False)  # a radio in disorder: start it afresh
            return "radio failed"
        trouble = ""
        for half_s in range(2 * _JOIN_S):
            await asyncio.sleep_ms(_LOOK_MS)
            if self._wlan.isconnected():
                return ""
            trouble = self._trouble()
            if trouble and half_s >= 2 * _STALE_S:
                return trouble
        return trouble or ("no address" if self._is_associated() else "no answer")

    def _trouble(self):
        status = self._wlan.status()
        for name, words in _TROUBLES:
            if status == getattr(network, name, None):
                return words
        return "wrong password" if sys.platform == "esp32" and status == _ESP32_4WAY_TIMEOUT else ""

    def _is_associated(self):
        if sys.platform != "esp32":
            return self._wlan.status() == _CYW43_NOIP
        try:
            self._wlan.status("rssi")
        except OSError:  # there is no access point to measure
            return False
        return True
