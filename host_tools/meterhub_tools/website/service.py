"""The website as a process of its own, for the demo and for tests.

Errors   ToolError when it does not start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from ..errors import ToolError
from . import keys

_START_S = 60


class Website:
    """`recipient` is what a hub's settings need: {"kid", "name", "key"}; `url` is there once it was started.

    broker: mqtt[s]://...; data: folder; port 0 takes any; registry: the operator's list of hubs; log: file for what
    the site complains about.
    """

    def __init__(
        self,
        broker: str,
        data: Path,
        *,
        port: int = 0,
        name: str = "Green Co-op",
        ca: Path | None = None,
        frame_ancestor: str = "",
        registry: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self.recipient = keys.load(data, name).public()
        self.url = ""
        # the broker's address may hold a password: it goes by the environment, where `ps` does not show it
        self._environment = {**os.environ, "METERHUB_BROKER": broker, "PYTHONUNBUFFERED": "1"}
        self._command = [sys.executable, "-m", "meterhub_tools.website", "website"]
        self._command += ["--data", str(data), "--port", str(port), "--name", name]
        self._command += ["--ca", str(ca)] if ca else []
        self._command += ["--frame-ancestor", frame_ancestor] if frame_ancestor else []
        self._command += ["--registry", str(registry)] if registry else []
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Website:
        """Start it and return when it listens."""
        with open(self._log or os.devnull, "ab") as log:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # never written to: when it closes, the website ends
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        guard = threading.Timer(_START_S, process.kill)
        guard.start()
        line = process.stdout.readline() if process.stdout else ""
        guard.cancel()
        if not line:
            self.stop()
            raise ToolError("the website did not start" + (f"; see {self._log}" if self._log else ""))
        self.url = json.loads(line)["url"]
        return self

    def stop(self) -> None:
        """Stop it; everything it had decrypted is gone with the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def __enter__(self) -> Website:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
