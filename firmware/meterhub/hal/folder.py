"""Folders of the hub's file system.

Errors   OSError when there is no room or no permission
Runs on  both
"""

import errno
import os


def make(path: str) -> None:
    """Make the folder `path` and those above it, as far as they are missing."""
    at = path.find("/", 1)
    while True:
        try:
            os.mkdir(path if at < 0 else path[:at])
        except OSError as exc:
            if exc.errno != errno.EEXIST:
                raise
        if at < 0:
            return
        at = path.find("/", at + 1)
