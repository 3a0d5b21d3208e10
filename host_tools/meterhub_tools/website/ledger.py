"""What the database learns of requests: that they were made, how they ended, what a link became; never a reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import proof
from ..items import Delivery
from ..recipient import Card, Request
from .models import Entry, Event, Link, Loss, unix_now

from meterhub.codec import jose  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

if TYPE_CHECKING:
    from .live import Run


def begun(link: Link, request: Request, wish: dict) -> int:
    """Note a request that is being sent; return the entry's number."""
    span = {"start": wish.get("from", 0), "stop": wish.get("to", wish.get("until", 0))}
    about = {"what": wish["what"], "mode": wish["mode"], "res": wish.get("res", "")}
    entry = Entry.objects.create(account_id=link.account_id, hub=link.hub, code=request.code, **about, **span)
    return int(entry.pk)


def ended(run: Run) -> None:
    """Note how `run` ended, and what that means for its link."""
    status, error, what = run.status(), run.error, run.wish["what"]
    result = {"link": "linked", "revoke": "revoked"}.get(what, "done") if status["state"] == "done" else "refused"
    left = "nothing"
    if what == "data":
        received = status.get("received", run.received)
        left = "all" if result == "done" else "part" if received else "nothing"
    error_name = error.name if error else ""
    Entry.objects.filter(pk=run.entry_pk).update(result=result, error=error_name, left_house=left, ended_at=unix_now())
    if result == "linked":
        _keep_link(run.link)
    elif result == "revoked" or error_name in ("REVOKED", "NOT_LINKED"):
        Link.objects.filter(pk=run.link.pk, revoked_at=0).update(revoked_at=unix_now())
    elif result == "done":
        Link.objects.filter(pk=run.link.pk).update(used_at=unix_now())


def _keep_link(link: Link) -> None:
    """Store the link that the household agreed to, in place of an older one to the same hub.

    One that was live goes on: what the hub told under it stays on the account's page.
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
    now = unix_now()
    Link.objects.filter(pk=link.pk).update(revoked_at=now)
    about = {"what": "revoke", "mode": "display", "code": "", "result": "revoked"}
    Entry.objects.create(account_id=link.account_id, hub=card.hub, at=now, ended_at=now, **about)


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


def interrupted() -> None:
    """Close what was open when the website was last stopped."""
    Entry.objects.filter(result="open").update(result="refused", error="INTERRUPTED", ended_at=unix_now())
