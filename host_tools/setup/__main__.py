"""Set a checkout up: everything that `make demo` and `make test` need, in git-ignored folders of the checkout.

    run            what is missing or has changed since; nothing else
    run tests      the same, and what the tests alone want: first the system's packages that they drive (root or
                   sudo), and last the sources and the emulator of a board

Exit status 0, or 1 with a message that says what to do, or 2 for wrong usage.
"""

import pathlib
import sys

import emulator
import environment
import interpreters
import system
import typings
import web
from steps import ROOT, TOOLCHAIN, VENV, SetupError, Step, command, only_one, run

HERE = pathlib.Path(__file__).parent
LIBRARIES = HERE / "libraries.py"


def fetch_libraries() -> None:
    env = environment.with_pips_certificates()
    command("libraries", environment.PYTHON, LIBRARIES, TOOLCHAIN / "lib", env=env)


# from the system's archive, and from the package registries: neither needs the other
SYSTEM = (
    Step(
        "interpreter-64",
        "MicroPython, 64-bit",
        (HERE / "interpreters.py", HERE / "archive.py"),
        (TOOLCHAIN / "mp64/bin/micropython",),
        interpreters.install_64,
    ),
    Step(
        "interpreter-32",
        "MicroPython, 32-bit",
        (HERE / "interpreters.py", HERE / "archive.py"),
        (TOOLCHAIN / "mp32",),
        interpreters.install_32,
    ),
)

PACKAGES = (
    Step(
        "environment",
        "Python environment",
        (HERE / "environment.py",),
        (environment.PYTHON,),
        environment.create,
    ),
    Step(
        "packages",
        "Python packages (the longest step: about a minute)",
        (environment.LOCKS / "packages.lock",),
        (VENV / "bin/pytest",),
        environment.install_packages,
    ),
    Step(
        "command",
        "the meterhub command",
        (ROOT / "host_tools/pyproject.toml",),
        (VENV / "bin/meterhub",),
        environment.install_command,
    ),
    Step(
        "libraries",
        "pieces of micropython-lib",
        (LIBRARIES,),
        (TOOLCHAIN / "lib/umqtt/simple.py",),
        fetch_libraries,
    ),
    Step(
        "typings",
        "MicroPython's type stubs",
        (HERE / "typings.py", environment.LOCKS / "typings.lock", environment.LOCKS / "typings-more.lock"),
        (typings.TYPINGS,),
        typings.install,
    ),
    Step(
        "stubs",
        "each board's own type stubs",
        (HERE / "typings.py", *typings.STUBS_LOCKS),
        (typings.STUBS,),
        typings.install_boards,
    ),
    Step(
        "node",
        "Node",
        (HERE / "web.py", environment.LOCKS / "node.lock"),
        (TOOLCHAIN / "node/bin/node", TOOLCHAIN / "node/bin/npm"),
        web.install_node,
    ),
    Step(
        "pyright",
        "pyright",
        (HERE / "web.py", web.PYRIGHT_LOCK),
        (web.PYRIGHT / "node_modules/pyright",),
        web.install_pyright,
    ),
    Step(
        "frontend",
        "the website's scripts",
        (HERE / "web.py", web.FRONTEND),
        (web.BUNDLES,),
        web.build_frontend,
    ),
)

TEST_SYSTEM = (
    Step(
        "rp2-sources",
        "MicroPython's sources for the RP2040",
        (HERE / "emulator.py", HERE / "archive.py", HERE / "interpreters.py"),
        (emulator.SOURCES,),
        emulator.fetch_sources,
    ),
)

TEST_PACKAGES = (
    Step(
        "rp2040js",
        "the RP2040's emulator",
        (HERE / "web.py", emulator.RP2040JS_LOCK),
        (emulator.RP2040JS / "node_modules/rp2040js",),
        emulator.install_rp2040js,
    ),
)


def main(words: list[str]) -> int:
    if words not in ([], ["tests"]):
        print("usage: run [tests]", file=sys.stderr)
        return 2
    try:
        with only_one():
            if words:
                system.install_test_programs()
                run(SYSTEM + TEST_SYSTEM, PACKAGES + TEST_PACKAGES)
            else:
                run(SYSTEM, PACKAGES)
    except SetupError as exc:
        print(f"meterhub cannot be set up: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
