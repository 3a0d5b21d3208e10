"""The self-test from afar: run again until what failed is cured, for as many loops as were ordered; each one is told.

Source   ETSI TR 102 691 5.2.4: alert, the administrator acts, the diagnostic runs again, quiet if cured; bounded
Memory   the self-test's, part by part; loaded while it runs
Runs on  the unix port and the boards

Format   the record "diagnosis": JSON {job: null or {kid, ctr, h, parts, loops, wait_s, loop}, fault: [parts that have
         failed in the last loop of a diagnosis, until one finds them well]}
A diagnosis that the power cuts goes on with the loop it was in.
"""

import asyncio
import json

from . import lazy, selftest
from .letterbox import EVENT

PARTS = tuple([name for name in selftest.NAMES if not name.startswith("button ")])  # what needs no hands
_RECORD = "diagnosis"
_INTEGRITY = 0x8F1C  # GBCS


def state(hub) -> dict:
    """Return what the record holds."""
    raw = hub.record(_RECORD).load()
    return json.loads(raw) if raw else {"job": None, "fault": []}


def save(hub, known: dict) -> None:
    """Keep it."""
    hub.record(_RECORD).save(json.dumps(known).encode())


async def run(hub) -> None:
    """Go through the loops of the job in the record, and answer who gave it."""
    known = state(hub)
    job = known["job"]
    while job is not None:
        failed, said = await _loop(hub, job["parts"])
        job["loop"] += 1
        if not failed or job["loop"] >= job["loops"]:
            fault = [part for part in known["fault"] if part not in job["parts"]] + failed
            _finish(hub, job, failed, said, known["fault"])
            save(hub, {"job": None, "fault": fault})
            return
        _tell(hub, job, said)
        save(hub, known)
        await asyncio.sleep(job["wait_s"])


async def _loop(hub, parts):
    """Return (names of the parts that failed, [[part, what it says]] of those)."""
    failed, said = [], []
    for part in parts:
        before = lazy.loaded()
        verdicts = []
        failed += await selftest.run(hub, part, verdicts.append)
        said += [[one["part"], one["says"]] for one in verdicts if one.get("ok") is False]
        lazy.let_go(lazy.loaded() - before)
    return failed, said


def _tell(hub, job, said):
    """Record and tell that a loop has found something."""
    for part, says in said:
        hub.journal.add("event", "INTEGRITY_FAILED", "UC-02 %s: %s" % (part, says))
    data = {"failed": said, "loop": job["loop"], "of": job["loops"]}
    hub.letters.alert("ADM", "INTEGRITY_FAILED", _INTEGRITY, "diagnosis", data)


def _finish(hub, job, failed, said, before):
    if failed:
        _tell(hub, job, said)
        hub.journal.add("event", "fault", " ".join(failed))
    else:
        cured = [part for part in before if part in job["parts"]]
        hub.journal.add("event", "diagnosis", "loop %d of %d %s" % (job["loop"], job["loops"], " ".join(cured)))
    claims = {"kind": "answer", "re": job["h"], "ctr": job["ctr"], "cmd": "diag.run", "outcome": "done", "error": ""}
    data = {"failed": said, "loop": job["loop"], "of": job["loops"], "fault": bool(failed), "action": "diagnosis"}
    claims.update({"field": "", "data": data})
    hub.letters.post(job["kid"], claims, EVENT)
