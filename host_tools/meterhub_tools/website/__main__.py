"""`python -m meterhub_tools.website`: the website alone, as service.py starts it; it ends with whoever started it."""

import argparse
import os
import signal
import sys
import threading

from meterhub_tools.website import command


def _end_with_parent() -> None:
    """Wait until the other end of standard input has gone, however that came about; then stop."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    parser = argparse.ArgumentParser(prog="meterhub")
    command.add_parser(parser.add_subparsers(dest="command", required=True))
    return command.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
