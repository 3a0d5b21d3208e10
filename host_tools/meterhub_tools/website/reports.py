"""What an account may see of what its hubs have told of their own accord.

Of each hub that it is linked to: what happened since the link and reached the website before the link's end. An event
whose time the hub did not know counts as later than those that it told before it: with none of them since the link
it may be from before, of another household, and is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from .models import Account, Event, Link, Loss

MOST = 200


@dataclass(frozen=True)
class Reports:
    """What an account's hubs told: the newest events first, and for each hub that gave some up how many those are."""

    events: list[Event]
    lost: list[tuple[str, int]]


def of(account: Account) -> Reports:
    """Return what the account may see."""
    links = list(account.links.order_by("linked_at", "pk"))
    events = sorted((event for link in links for event in _events(link)[:MOST]), key=lambda event: -event.pk)
    return Reports(events[:MOST], [(link.hub, lost) for link in links if (lost := _lost(link))])


def _events(link: Link) -> QuerySet[Event]:
    dated = Event.objects.filter(
        hub=OuterRef("hub"), box=OuterRef("box"), number__lt=OuterRef("number"), at__gte=link.linked_at
    )
    span = {"received_at__gte": link.linked_at, "received_at__lte": link.ends_at}
    since = Q(at__gte=link.linked_at) | Q(Exists(dated), at=0)
    return Event.objects.filter(since, hub=link.hub, **span).order_by("-pk")


def _lost(link: Link) -> int:
    """Return how many were given up between two deliveries of which the later one came under the link."""
    until = Loss.objects.filter(hub=link.hub, received_at__lte=link.ends_at)
    before = dict(_most(until.filter(received_at__lt=link.linked_at)))
    return sum(most - before.get(box, 0) for box, most in _most(until))


def _most(losses: QuerySet[Loss]) -> list[tuple[str, int]]:
    return list(losses.values_list("box").annotate(most=Max("dropped")))
