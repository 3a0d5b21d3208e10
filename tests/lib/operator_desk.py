"""The operator's desk for tests: folders of keys, passwords in files, and `meterhub` as it is typed.

Everything that a command has printed is kept, so that a test can look for secrets in it.
"""

import contextlib
import io
import json
from pathlib import Path

from meterhub_tools import cli
from meterhub_tools.recipient import Recipient

WIFI = "wifi-Geheim-7351"
BROKER = "broker-Geheim-9164"


class Desk:
    """One operator's. `shown` is all that was printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.registry = self.keys / "registry.sqlite3"
        self.shown = ""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("wifi.txt", WIFI + "\n"), ("broker.txt", BROKER), ("wrong.txt", "something else")):
            (folder / name).write_text(text)
        self.recipient = Recipient("Green Co-op", Recipient.new_pem()).public()
        self.file("recipient.json", json.dumps(self.recipient))

    def file(self, name: str, text: str) -> str:
        """Write a file; return its path."""
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def run(self, *words: object) -> tuple[int, str]:
        """Type `meterhub WORDS`; return (exit status, what it printed)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = cli.main([str(word) for word in words])
            except SystemExit as end:
                status = int(end.code or 0)
        said = out.getvalue() + err.getvalue()
        self.shown += said
        if status == 1:
            assert len(err.getvalue().splitlines()) <= 1, err.getvalue()
        return status, said

    def provision(self, port: str, *words: object, name: str = "kitchen") -> tuple[int, str]:
        """Type `meterhub provision` with this desk's keys."""
        return self.run("provision", "--port", port, "--name", name, "--keys", self.keys, *words)

    def passwords(self) -> tuple[object, ...]:
        """Return the options that name a Wi-Fi, a user, and the files of both passwords."""
        wifi = ("--wifi", "home", "--wifi-password-file", self.folder / "wifi.txt")
        return (*wifi, "--user", "hub-user", "--password-file", self.folder / "broker.txt")


def leaks(*texts: str) -> list[str]:
    """Return the secrets that stand in `texts`."""
    return [secret for secret in (WIFI, BROKER) for text in texts if secret in text]
