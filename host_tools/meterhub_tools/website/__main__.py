"""`python -m meterhub_tools.website`: the website alone, as service.py starts it."""

import argparse
import sys

from meterhub_tools.website import command


def main() -> int:
    parser = argparse.ArgumentParser(prog="meterhub")
    command.add_parser(parser.add_subparsers(dest="command", required=True))
    return command.run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
