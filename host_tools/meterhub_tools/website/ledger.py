"""What the database learns of requests: that they were made, how they ended, what a link became; never a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from .. import proof
from ..billing import rules, verifier
from ..billing.refusals import Refused
from ..billing.rules import Ledger
from ..items import Delivery
from ..notices import Told
from ..recipient import Card, Request
from . import words
from .models import Batch, Billing, Entry, Event, Link, Loss, Notice, unix_now

from meterhub.codec import jose  # isort: skip
from meterhub.codec import billing as codec  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from .live import Run
    from .models import Account

_GOOD_ENDS = {"link": "linked", "bill": "linked", "revoke": "revoked"}
NOTICES_KEPT_S = 400 * 86400


def begun(link: Link, request: Request, wish: dict) -> int:
    """Note a request that is being sent; return the entry's number."""
    span = {"start": wish.get("from", 0), "stop": wish.get("to", wish.get("until", 0))}
    what = "bill-off" if wish.get("of") == "bill" else "bill-key" if wish.get("keys") else wish["what"]
    what = "bill-hub" if what == "proof" else what
    about = {"what": what, "mode": wish["mode"], "res": wish.get("res", "")}
    entry = Entry.objects.create(account_id=link.account_id, hub=link.hub, code=request.code, **about, **span)
    return int(entry.pk)


def ended(run: Run) -> None:
    """Note how `run` ended, and what that means for its link."""
    status, error, what = run.status(), run.error, run.wish["what"]
    result = "refused" if status["state"] != "done" else _GOOD_ENDS.get(what, "done")
    left = "nothing"
    received = status.get("received", run.received)
    if what == "data":
        left = "all" if result == "done" else "part" if received else "nothing"
    elif what == "proof" and received:
        left = "bill"
    of_bill = what == "bill" or run.wish.get("of") == "bill" or (error is not None and error.field == "keys")
    error_name = words.name_of_hub(error.name, error.field) if error else ""
    Entry.objects.filter(pk=run.entry_pk).update(result=result, error=error_name, left_house=left, ended_at=unix_now())
    if result == "linked" and what == "bill":
        _keep_billing(run.link, run.wish)
    elif result == "linked":
        _keep_link(run.link)
    elif of_bill:
        if result == "revoked" or error_name in ("NOT_LINKED", "BILLING_OFF"):
            _billings(run.link).update(revoked_at=unix_now())
    elif result == "revoked" or error_name in ("REVOKED", "NOT_LINKED"):
        Link.objects.filter(pk=run.link.pk, revoked_at=0).update(revoked_at=unix_now())
    elif result == "done" and what == "data":
        Link.objects.filter(pk=run.link.pk).update(used_at=unix_now())


def _keep_link(link: Link) -> None:
    """Store the link that the household agreed to, in place of an older one to the same hub.

    One that was live goes on: what the hub told under it, and shows, stays on the account's page.
    """
    before = Link.objects.filter(account_id=link.account_id, hub=link.hub)
    link.linked_at = next((old.linked_at for old in before if old.live), unix_now())
    before.delete()
    link.pk = None
    link.save()


def revoked_at_home(card: Card, token: str) -> None:
    """Note what a hub's signed "consent" says: the household ended it on the display. HubError when it is none."""
    header, claims = jose.jws_claims(token, mhx.MAX_MESSAGE)
    if header.get("typ") != "mhx-consent" or claims.get("hub") != card.hub or claims.get("result") != "revoked":
        raise HubError("MALFORMED", "consent")
    proof.check_signature(token, card.key)
    link = Link.objects.filter(hub=card.hub, sub=mhx.text(claims, "sub", 32), revoked_at=0).first()
    if link is None:
        return
    now, billing = unix_now(), claims.get("of") == "bill"
    if billing:
        _billings(link).update(revoked_at=now)
    else:
        Link.objects.filter(pk=link.pk).update(revoked_at=now)
    about = {"what": "bill-off" if billing else "revoke", "mode": "display", "code": "", "result": "revoked"}
    Entry.objects.create(account_id=link.account_id, hub=card.hub, at=now, ended_at=now, **about)


# -- private billing ---------------------------------------------------------------------------------------------


def _billings(link: Link) -> QuerySet[Billing]:
    return Billing.objects.filter(account_id=link.account_id, hub=link.hub, revoked_at=0)


def _keep_billing(link: Link, wish: dict) -> None:
    """Store that the household has agreed to private billing; one that was in force goes on."""
    before = Billing.objects.filter(account_id=link.account_id, hub=link.hub).first()
    fields = {"regs": wish["regs"], "until": wish["until"], "revoked_at": 0}
    if before is None or not before.live:
        fields["since"] = unix_now()
    Billing.objects.update_or_create(account_id=link.account_id, hub=link.hub, defaults=fields)


def is_billed(hub: str) -> bool:
    """Return whether a hub commits to its readings for any account."""
    return Billing.objects.filter(hub=hub, revoked_at=0, until__gte=unix_now()).exists()


def keep_batch(card: Card, raw: bytes) -> tuple[int, bytes]:
    """Store a batch that its hub has signed, once however often it comes; return its day and digest.

    HubError MALFORMED, NOT_AUTHENTIC for one that is none, REPLAY for another one of a day that is here already.
    """
    if len(raw) > mhx.MAX_BATCH:
        raise HubError("OVERSIZED", "batch")
    try:
        (batch,) = verifier.Batches([raw], card.key).batches
    except Refused as refused:
        raise HubError("MALFORMED" if refused.name == "BATCH_FORMAT" else "NOT_AUTHENTIC", refused.name) from None
    about = {"hub": card.hub, "chain": batch.chain.hex(), "day": batch.day}
    kept, _ = Batch.objects.get_or_create(**about, defaults={"raw": raw})
    if codec.Batch(bytes(kept.raw)).digest() != batch.digest():
        raise HubError("REPLAY", "batch")
    return batch.day, batch.digest()


def batches_of(billing: Billing) -> list[Batch]:
    """Return the batches of the newest chain that an account has of its hub, in the order of days."""
    end = min(billing.revoked_at or billing.until, billing.until)  # later ones are of whoever lives there then
    mine = Batch.objects.filter(hub=billing.hub, received_at__gte=billing.since, received_at__lte=end)
    newest = mine.order_by("-pk").first()
    return list(mine.filter(chain=newest.chain).order_by("day")) if newest else []


def given_by(account: Account, hub: str) -> Ledger:
    """Return what bills an account has made of a hub, as the rules want it."""
    name = hub.encode().hex()
    found = account.bills.filter(hub=hub)
    return Ledger(rules.Entry("bill", name, one.start, one.stop, one.tariff, "", one.at) for one in found)


def give(account: Account, hub: str, start: int, stop: int, tariff: str) -> None:
    """Note that a bill was made; Refused SECOND_BILL when it must not be. The same one may be made again."""
    with transaction.atomic():
        given_by(account, hub).check_bill(hub.encode(), start, stop, bytes.fromhex(tariff))
        account.bills.get_or_create(hub=hub, start=start, stop=stop, tariff=tariff)


def linked_hubs() -> list[str]:
    """Return the ids of the hubs that any account may ask."""
    return list(Link.objects.filter(revoked_at=0, until__gte=unix_now()).values_list("hub", flat=True).distinct())


def is_linked(hub: str) -> bool:
    """Return whether any account may ask this hub."""
    return Link.objects.filter(hub=hub, revoked_at=0, until__gte=unix_now()).exists()


def keep_events(delivery: Delivery) -> None:
    """Store what a hub has told, each event once however often it comes, and how much of it never comes."""
    told = [
        Event(hub=delivery.hub, box=delivery.box, number=item.id, at=item.at, name=item.name, detail=item.detail)
        for item in delivery.items
    ]
    Event.objects.bulk_create(told, ignore_conflicts=True)
    box, dropped = {"hub": delivery.hub, "box": delivery.box}, sum(delivery.dropped)
    if dropped and not Loss.objects.filter(dropped__gte=dropped, **box).exists():
        Loss.objects.create(dropped=dropped, **box)


def keep_notice(told: Told) -> None:
    """Store what a hub shows to the household; of two letters about the same notice the later one counts."""
    fields = {"state": told.state, "said": told.said, "asks": told.asks, "changed_at": told.changed, "decided": ""}
    fields |= {"start": told.start, "expiry": told.expiry, "at": told.at, "letter": told.n, **told.words}
    fields["received_at"] = unix_now()
    with transaction.atomic():
        found, made = Notice.objects.get_or_create(hub=told.hub, number=told.number, defaults=fields)
        if not made and found.letter < told.n:
            Notice.objects.filter(pk=found.pk, letter__lt=told.n).update(**fields)
    Notice.objects.filter(hub=told.hub, changed_at__lt=unix_now() - NOTICES_KEPT_S).exclude(state="saved").delete()


def notices_of(account: Account) -> list[tuple[Link, list[Notice]]]:
    """Return the links in force of an account, each with what its hub shows to the household, newest first."""
    links = [link for link in account.links.order_by("linked_at") if link.live]
    return [(link, list(notices_for(link))) for link in links]


def notices_for(link: Link) -> QuerySet[Notice]:
    """Return what is shown at a link: nothing that came before it, which was for whoever lived there then."""
    shown = Notice.objects.filter(hub=link.hub, state__in=Notice.SHOWN, received_at__gte=link.linked_at)
    return shown.exclude(text="")


def interrupted() -> None:
    """Close what was open when the website was last stopped."""
    Entry.objects.filter(result="open").update(result="refused", error="INTERRUPTED", ended_at=unix_now())
