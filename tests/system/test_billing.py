"""Private billing over a real broker: agreed to at the display, a batch a day, keys, power cuts, and its end."""

import asyncio
import time

from billed import Past, Site, linkable_home
from world import REGS, agreeing

from meterhub.codec import billing
from meterhub_tools.billing import prover, verifier
from meterhub_tools.recipient import bill_wish, data_wish, link_wish, revoke_wish
from meterhub_tools.simulators.household import HALF_HOUR_S
from meterhub_tools.simulators.p1_meter import P1Meter

DAYS = 5


async def restarted(home, past):
    """Cut the power; return when the hub has heard its meter again."""
    await home.hub.kill()
    home.hub.status = {}
    past.sent = 0
    await home.hub.start()
    await past.live_until(past.told + HALF_HOUR_S)


def test_a_day_becomes_a_batch_that_the_customer_can_open_and_the_recipient_cannot(tmp_path):
    async def run():
        async with linkable_home(tmp_path, DAYS) as (home, asker):
            await through(home, asker)

    asyncio.run(run())


async def through(home, asker):
    past = Past(home, P1Meter(home.meter.household))
    start = past.start
    await past.live_until(start + 20 * HALF_HOUR_S)
    card = await asker.card(home.hub.id, want=lambda card: card.have)
    run = await asker.exchange(card, link_wish(REGS, "half-hour", past.told + 10**7), agreeing(home), now=past.now)
    assert run.outcome == "linked", run.error
    until = int(time.time()) + 86400
    asked = []

    async def person(run):
        if run.state == "asked":
            asked.append(await home.reads("private billing", "no readings"))
        return await agreeing(home)(run)

    run = await asker.exchange(card, bill_wish(REGS, until), person, now=past.now)
    assert (run.outcome, len(asked)) == ("linked", 1), run.error

    site = Site(asker, home.hub.id)
    site.deaf = True  # the first batch gets no answer; then the power is cut
    await past.live_until(start + 3 * 86400)
    await site.until(lambda: site.copies)
    await restarted(home, past)
    await site.until(lambda: len(site.copies) > 1)
    first, again = (billing.Batch(raw) for raw in site.copies)
    assert (again.body, again.signature != first.signature) == (first.body, True)
    site.deaf = False
    await restarted(home, past)
    await past.live_until(start + 4 * 86400)  # in the afternoon, the first day that ended was the only one
    await past.live_while(site.until(lambda: len(site.stored) > 1))

    chain = verifier.Batches(site.stored, card.key)
    days = [billing.Batch(raw).day for raw in site.stored]
    assert days == list(range(days[0], days[0] + len(days))) and chain.exports
    wish = data_wish("server", REGS, "half-hour", chain.start, chain.stop, keys=True)
    run = await asker.exchange(card, wish, agreeing(home), now=past.now)
    assert run.outcome == "done", run.error
    read = {run.result.start: run.result.base} | {entry.at: entry.values for entry in run.result.entries}
    house = prover.House(site.stored, run.result.keys, read)  # each commitment is opened
    last = house.rows[-1].stop  # earlier than the chain's end when the power was cut just then
    assert sum(row.imported[0] for row in house.rows) == read[last][0] - read[chain.start][0]
    assert house.missing(last, chain.stop) == (chain.stop - last) // HALF_HOUR_S

    run = await asker.exchange(card, revoke_wish("bill"), agreeing(home), now=past.now)
    assert run.outcome == "revoked", run.error
    count = len(site.copies)
    await past.live_until(start + DAYS * 86400)
    run = await asker.exchange(card, wish, agreeing(home), now=past.now)
    assert str(run.error) == "REVOKED: keys"
    await site.until(lambda: True)
    assert len(site.copies) == count
