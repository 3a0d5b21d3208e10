"""`meterhub decode --json` over every capture there is, in one process, against what each must decode to.

The captures are not part of this repository; see conftest.py. How values are compared, and which captures must be
refused and why, is in the corpus test of each protocol; here the command with all that it finds out by itself.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import test_dlms_corpus
import test_iec62056_corpus
import test_mbus_corpus
import test_p1_corpus
import test_sml_corpus

from meterhub_tools import toolchain

NOT_FRAMES = ("iec62056-21/iec62056-21/vectors.json", "modbus/")  # compared in tests of their own
ENGINES = [pytest.param((), id="unix port"), pytest.param(("--cpython",), id="cpython")]


def meterhub(*words: object) -> subprocess.CompletedProcess[str]:
    """Run this checkout's command."""
    line = [sys.executable, "-m", "meterhub_tools.cli", *(str(word) for word in words)]
    return subprocess.run(line, cwd=toolchain.ROOT / "host_tools", capture_output=True, text=True, check=False)


def decoded(paths: list[Path], *words: str) -> dict[Path, dict]:
    """Return what the command says of each file."""
    said = meterhub("decode", "--json", *words, *paths)
    assert said.returncode in (0, 1), said.stderr
    found = {Path(told["file"]): told for told in map(json.loads, said.stdout.splitlines())}
    assert said.returncode == int(any("reason" in told for told in found.values())), said.stderr
    return found


def telegrams(told: dict) -> list[dict]:
    """Return the Telegrams of a file as the corpus tests take them."""
    found = [telegram | {"readings": [], "texts": {}} for telegram in told["telegrams"]]
    for one in told["readings"]:
        name, telegram = one.get("obis") or one["quantity"], found[one["frame"]]
        if "text" in one:
            telegram["texts"][name] = one["text"]
        else:
            telegram["readings"].append(
                [name, one["value"], one["scale"], one["unit"], one["meter"], one["channel"], one["at"]]
            )
    return found


class Corpus:
    """What every capture must decode to: check(name, told) -> (values compared, those that differ), None: refused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        load = lambda name: json.loads((folder / f"expected/{name}.json").read_text())  # noqa: E731
        self.expected = {
            "p1": load("p1"),
            "sml": load("sml_all_frames"),
            "dlms": load("dlms_canonical"),
            "mbus": load("mbus"),
            "iec62056-21": load("modec"),
        }
        self.dlms_raw = load("dlms")

    def paths(self) -> list[Path]:
        every = sorted(path for path in self.folder.glob("open/**/*") if path.is_file() and path.suffix != ".xml")
        return [path for path in every if not self.name(path).startswith(NOT_FRAMES)]

    def name(self, path: Path) -> str:
        return str(path.relative_to(self.folder / "open"))

    def check(self, path: Path, told: dict) -> tuple[int, list[str]] | None:
        protocol, _, name = self.name(path).partition("/")
        right = {"iec62056-21": "iec62056"}.get(protocol, protocol)
        if self.must_be_refused(protocol, name):
            return None if not told["frames"] else (0, ["believed"])
        if told["protocol"] != right:
            return 0, [f"taken for {told['protocol']}"]
        return getattr(self, f"_{right}")(name, telegrams(told))

    def must_be_refused(self, protocol: str, name: str) -> bool:
        if protocol == "p1":
            return bool(test_p1_corpus.reason_to_refuse(name)[0])
        if protocol == "mbus":
            return any(Path(name).name.startswith(start) for start in test_mbus_corpus.REFUSED)
        if protocol == "dlms":
            return name in test_dlms_corpus.NO_PUSH
        if protocol == "sml":
            return name in test_sml_corpus.REFUSED or not self.expected["sml"][name]["frames"]
        return name in test_iec62056_corpus.REFUSED

    def _p1(self, name: str, found: list[dict]) -> tuple[int, list[str]]:
        expected = self.expected["p1"][name]
        values = sum(not obis.startswith("_") for obis in expected)
        return values, test_p1_corpus.disagreements(found[0], expected) if len(found) == 1 else ["frames"]

    def _sml(self, name: str, found: list[dict]) -> tuple[int, list[str]]:
        frames = self.expected["sml"][name]["frames"]
        if len(frames) != len(found):
            return 0, [f"{len(found)} of {len(frames)} frames"]
        pairs = zip(found, frames, strict=True)
        wrong = [obis for one, frame in pairs for obis in test_sml_corpus.differences(name, one, frame)]
        return sum(map(len, frames)), wrong

    def _dlms(self, name: str, found: list[dict]) -> tuple[int, list[str]]:
        expected = self.expected["dlms"][name]
        if len(found) != 1:
            return 0, [f"{len(found)} frames"]
        wrong = test_dlms_corpus.differences(found[0], expected, self.dlms_raw[name])
        return sum(not code.startswith("_") for code in expected), wrong

    def _mbus(self, name: str, found: list[dict]) -> tuple[int, list[str]]:
        compared, wrong = test_mbus_corpus.differences(name, found[0], self.expected["mbus"][name])
        return compared, [] if "manual_frame" in name else wrong

    def _iec62056(self, name: str, found: list[dict]) -> tuple[int, list[str]]:
        return test_iec62056_corpus.differences(found[-1], self.expected["iec62056-21"][name])


@pytest.fixture(scope="module")
def captures(corpus: Path) -> Corpus:
    return Corpus(corpus)


def keys_of(corpus: Path) -> dict[Path, dict]:
    """Return {capture: its keys}."""
    keys = json.loads((corpus / "keys.json").read_text())
    found = {}
    for name, pair in keys.items():
        (path,) = corpus.glob(f"open/*/{name}")
        found[path] = pair
    return found


def peer_errors() -> list[str]:
    """Return a line for each value that the expected ones have wrong, from a peer."""
    known = test_sml_corpus.PEER_ERRORS | test_mbus_corpus.PEER_ERRORS
    return [f"    {capture} {what}: {right}: {why}" for (capture, what), (right, why) in known.items()]


@pytest.mark.parametrize("words", ENGINES)
def test_every_capture_is_read_as_it_must_be(words: tuple, captures: Corpus, capsys: pytest.CaptureFixture) -> None:
    encrypted = keys_of(captures.folder)
    paths = captures.paths()
    lines, bad, counts = [], [], Counter()
    for path, told in decoded(paths, *words).items():
        protocol = captures.name(path).partition("/")[0]
        if path in encrypted:
            good, says = "key missing" in told["errors"] and not told["frames"], "key missing"
        else:
            checked = captures.check(path, told)
            good = checked is None or not checked[1]
            says = f"refused: {told['reason'].partition(': ')[2]}" if checked is None else ""
            if checked is not None:
                says = f"{told['frames']} frames, {checked[0]} values {' '.join(checked[1])}"
                counts[protocol, "frames"] += told["frames"]
                counts[protocol, "values"] += checked[0]
        counts[protocol, "captures"] += 1
        counts[protocol, "wrong"] += not good
        lines.append(f"  {captures.name(path)[:66]:66} {'' if good else 'WRONG'} {says}")
        if not good:
            bad.append(captures.name(path))
    heads = ("captures", "frames", "values", "wrong")
    lines += ["", f"  {'':14}" + "".join(f"{head:>10}" for head in heads)]
    for protocol in sorted({protocol for protocol, _ in counts}):
        lines.append(f"  {protocol:14}" + "".join(f"{counts[protocol, head]:10}" for head in heads))
    lines += ["  where a peer is wrong:", *peer_errors()]
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - the table is what one runs this for
    assert not bad


@pytest.mark.parametrize("words", ENGINES)
def test_encrypted_captures_open_with_their_keys(words: tuple, captures: Corpus, tmp_path: Path) -> None:
    for path, keys in keys_of(captures.folder).items():
        file = tmp_path / "key"
        file.write_text(keys["encryption_key"] + "\n")
        options = ["--key", f"@{file}"]
        if keys["authentication_key"]:
            options += ["--auth-key", keys["authentication_key"]]
        (told,) = decoded([path], *options, *words).values()
        assert told["frames"] == 1 and not told["errors"], told
        assert keys["encryption_key"] not in json.dumps(told)
        if path.suffix == ".hex":
            values, wrong = captures.check(path, told) or (0, ["refused"])
            assert values and not wrong
        else:
            plain = tmp_path / "plain.txt"
            (telegram,) = captures.dlms_raw[captures.name(path).partition("/")[2]]["_telegrams"]
            text = telegram["_plaintext_p1"]
            plain.write_text(text, newline="")
            assert decoded([plain])[plain]["readings"] == told["readings"]


def test_the_protocol_may_be_said(captures: Corpus) -> None:
    everything = decoded(captures.paths())
    for protocol in ("p1", "sml", "dlms", "mbus", "iec62056"):
        paths = [path for path, told in everything.items() if told["protocol"] == protocol and told["frames"]]
        assert paths
        assert decoded(paths, "--protocol", protocol) == {path: everything[path] for path in paths}


def test_edited_messages_are_read_when_their_check_character_is_mended(captures: Corpus, tmp_path: Path) -> None:
    paths = {}
    for name in captures.expected["iec62056-21"]:
        posted = "".join(json.loads((captures.folder / "open/iec62056-21" / name).read_text()))
        path = tmp_path / f"{len(paths)}.txt"
        path.write_bytes(test_iec62056_corpus.mended(posted.encode("latin-1")))
        paths[path] = name
    for path, told in decoded(list(paths), "--protocol", "iec62056").items():
        values, wrong = captures._iec62056(paths[path], telegrams(told))
        assert values and not wrong, paths[path]


def test_modbus_pairs_one_file_each(corpus: Path, tmp_path: Path) -> None:
    pairs = json.loads((corpus / "open/modbus/rtu_pairs.json").read_text())
    paths = {}
    for pair in pairs["GOOD_RTU_RESPONSES"]:
        path = tmp_path / f"{len(paths)}.hex"
        path.write_text(f"# request, response\n{pair['request']}\n{pair['response']}\n")
        paths[path] = pair
    for path, told in decoded(list(paths)).items():
        request, response = (bytes.fromhex(paths[path][name]) for name in ("request", "response"))
        assert told["protocol"] == "modbus"
        if request[1] in (3, 4):
            words = [int.from_bytes(response[i : i + 2], "big") for i in range(3, len(response) - 2, 2)]
            assert [reading["value"] for reading in told["readings"]] == words
        else:
            assert list(told["errors"]) == [f"unsupported function {request[1]}"]


def test_modbus_examples_of_a_manual_by_a_map(corpus: Path) -> None:
    path = corpus / "open/modbus/manual_examples.json"
    told = decoded([path], "--map", "sdm630")[path]
    assert [(one["obis"], one["unit"]) for one in told["readings"]] == [("1-0:32.7.0", "V")]
    assert abs(told["readings"][0]["value"] * 10.0 ** told["readings"][0]["scale"] - 230.2) < 1e-4


def test_peer_messages_of_one_json_file(corpus: Path) -> None:
    path = corpus / "open/iec62056-21/iec62056-21/vectors.json"
    told = decoded([path])[path]
    assert [one["obis"] for one in told["readings"] if "value" in one] == ["3:14", "4:15"]
    assert told["errors"]["crc"] == 1
