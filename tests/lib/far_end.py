"""What hangs at the far end of a serial cable: a pty whose `port` is the host's end.

FarEnd()                       nobody: silence
FarEnd(answer=b"login: ")      something that says just that, whatever it hears
FarEnd(program=[...])          a program, its standard input and output on the line
"""

import contextlib
import os
import select
import subprocess
import threading
import tty


class FarEnd:
    """The far end, until the `with` ends or the cable is pulled."""

    def __init__(self, answer: bytes = b"", program: list | None = None, env: dict | None = None) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self.heard = bytearray()
        self._answer = answer
        self._pulled = threading.Event()
        self._process: subprocess.Popen | None = None
        self._thread: threading.Thread | None = None
        if program:
            line = {"stdin": self._far, "stdout": self._far, "stderr": subprocess.DEVNULL}
            self._process = subprocess.Popen([str(word) for word in program], env=env, **line)
        else:
            self._thread = threading.Thread(target=self._listen, daemon=True)
            self._thread.start()

    def __enter__(self) -> "FarEnd":
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()
        with contextlib.suppress(OSError):
            os.close(self._near)

    def pull(self) -> None:
        """Pull the cable: the host's end goes, as a USB port does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._pulled.set()
        if self._thread is not None:
            self._thread.join()
        with contextlib.suppress(OSError):
            os.close(self._far)

    def say(self, data: bytes) -> None:
        """Say something unasked."""
        os.write(self._far, data)

    def _listen(self) -> None:
        while not self._pulled.is_set():
            if select.select([self._far], [], [], 0.02)[0]:
                self.heard += os.read(self._far, 4096)
                if self._answer:
                    os.write(self._far, self._answer)
