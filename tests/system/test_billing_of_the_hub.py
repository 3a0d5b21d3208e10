"""A bill that the hub makes itself, over a real broker: asked for, the PIN typed, verified; no second one is made."""

import asyncio
import json
import time

from billed import Past, Site, linkable_home
from billing_house import NONCE, SUPPLIER, SUPPLIER_KEY, linear, sign
from world import REGS, agreeing

from meterhub.codec import base64url, tariff
from meterhub.codec import bill as forms
from meterhub_tools import cli
from meterhub_tools.billing import files, verifier
from meterhub_tools.recipient import bill_wish, proof_wish
from meterhub_tools.simulators.household import HALF_HOUR_S
from meterhub_tools.simulators.p1_meter import P1Meter

DAYS = 10
PLAN = linear(zone="UTC0", days=[[0, 0, 420, 1]], export=[5000, 9000])


def signed(document, at):
    return sign(SUPPLIER_KEY, forms.tariff_body(at, verifier.signer_id(SUPPLIER), tariff.packed(document)))


def test_the_hub_makes_a_bill_that_its_recipient_believes_and_no_second_one(tmp_path, capsys):
    async def run():
        async with linkable_home(tmp_path, DAYS) as (home, asker):
            await through(home, asker, tmp_path, capsys)

    asyncio.run(run())


async def through(home, asker, folder, capsys):
    past, start = Past(home, P1Meter(home.meter.household)), home.meter.household.start
    await past.live_until(start + 20 * HALF_HOUR_S)
    card = await asker.card(home.hub.id, want=lambda card: card.have)
    run = await asker.exchange(card, bill_wish(REGS, int(time.time()) + 86400), agreeing(home), now=past.now)
    assert run.outcome == "linked", run.error
    site = Site(asker, home.hub.id)
    await past.live_until(start + DAYS * 86400)
    await site.until(lambda: len(site.stored) > 6, 60)
    batches = verifier.Batches(site.stored[:7], card.key)

    # asked for, agreed to at the display, the PIN typed
    by = signed(PLAN, batches.start - 1)
    asked = []

    async def person(run):
        if run.state == "asked":
            asked.append(await home.reads("wants: a bill", "fee+income: 4 totals"))
        return await agreeing(home)(run)

    wish = proof_wish(site.stored[:7], by, NONCE)
    run = await asker.exchange(card, wish, person, now=past.now)
    assert (run.outcome, len(asked)) == ("done", 1), run.error
    made = run.made
    verdict = verifier.check_bill(batches, by, SUPPLIER, NONCE, made.bill, made.proof)
    assert not any("gap" in line for line in verdict.learnt)
    said = forms.bill_of(made.bill)
    assert (said.start, said.stop, said.batches, said.gaps) == (batches.start, batches.stop, 7, 0)
    before, after = (home.meter.household.registers(at).export_wh for at in (said.start, said.stop))
    assert said.total > said.standing > 0 and (said.income_net > 0) is (after > before)  # winter has dark weeks

    # and so does `meterhub bill verify`, from files
    for name, raw in (("a.bill", made.bill + made.proof), ("a.mhb", files.pack_batches(site.stored)), ("a.mht", by)):
        (folder / name).write_bytes(raw)
    known = ["--hub-key", base64url.encode(card.key), "--supplier-key", base64url.encode(SUPPLIER)]
    about = ["--batches", str(folder / "a.mhb"), "--tariff", str(folder / "a.mht"), "--nonce", NONCE.hex(), "--json"]
    capsys.readouterr()
    assert cli.main(["bill", "verify", str(folder / "a.bill"), *about, *known]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["right"], told["total"]) == (True, said.total)

    # the difference to another one would show: that is said, and nobody is asked
    other = proof_wish(site.stored[:7], signed(PLAN | {"id": "eco-2"}, batches.start - 1), NONCE)
    run = await asker.exchange(card, other, person, now=past.now)
    assert (str(run.error), run.made, len(asked)) == ("NOT_CONSENTED: second bill", None, 1)
    # the same one may be made again
    run = await asker.exchange(card, proof_wish(site.stored[:7], by, bytes(16)), person, now=past.now)
    assert verifier.check_bill(batches, by, SUPPLIER, bytes(16), run.made.bill, run.made.proof).checked
