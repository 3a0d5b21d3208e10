"""My hubs: link one, ask one for data, end what an account may ask for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ... import recipient
from .. import state
from ..courier import Presence
from ..forms import Ask, NewLink
from ..models import Link
from .session import account_of, limited, vault_key

_CARD_S = 4.0
_OFFLINE = "Your hub is offline. Nothing was sent to it. Check its power and network, then try again."


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the hubs of this account, and what is open in this session."""
    desk = state.desk()
    links = [(link, desk.courier.watch(link.hub)) for link in account_of(request).links.order_by("linked_at")]
    for link, _ in links:
        if link.live:
            desk.courier.wait_for_card(link.hub, 0.5)
    stored = desk.vault.all(vault_key(request))
    return render(
        request, "website/home.html", {"links": links, "stored": stored, "connected": desk.courier.connected}
    )


@require_http_methods(["GET", "POST"])
@login_required
@limited("user", "20/10m")
def new(request: HttpRequest) -> HttpResponse:
    """Ask a hub to link itself to this account."""
    form = NewLink(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data
        card = state.desk().courier.wait_for_card(found["hub"], _CARD_S)
        if card is None:
            form.add_error("hub", _unknown(state.desk().courier.connected))
        elif refusal := state.desk().gate.refusal(card):
            form.add_error("hub", refusal)
        else:
            what = {"regs": found["regs"], "res": found["res"], "until": form.until()}
            link = Link(account=account_of(request), hub=found["hub"], **what)
            before = account_of(request).links.filter(hub=link.hub).first()
            if before is not None:  # the hub knows this account by that name: it renews the permission it has
                link.sub = before.sub
            return _begin(request, link, recipient.link_wish(**what), card)
    return render(request, "website/link.html", {"form": form}, status=400 if form.errors else 200)


def _unknown(connected: bool) -> str:
    if not connected:
        return "This website has no connection to its broker just now. Nothing was sent. Try again in a minute."
    return "No hub with this id answers. Nothing was sent. Compare it with the display, and check the hub is online."


@require_http_methods(["GET", "POST"])
@login_required
@limited("user", "20/10m")
def ask(request: HttpRequest, hub: str) -> HttpResponse:
    """Ask a hub for data."""
    link = get_object_or_404(Link, account=account_of(request), hub=hub)
    presence = state.desk().courier.watch(hub)
    card = state.desk().courier.wait_for_card(hub, _CARD_S)
    if not link.live or card is None or not card.have:
        messages.error(request, _why_not(link, presence))
        return redirect("home")
    form = Ask(request.POST or None, link=link, have=card.have)
    if request.method == "POST" and form.is_valid():
        if presence.online is False:
            form.add_error(None, _OFFLINE)
        elif refusal := state.desk().gate.refusal(card):
            form.add_error(None, refusal)
        else:
            found = form.cleaned_data
            wish = recipient.data_wish(found["mode"], found["regs"], found["res"], *found["span"])
            return _begin(request, link, wish, card)
    page = {"form": form, "link": link, "card": card, "presence": presence}
    return render(request, "website/ask.html", page, status=400 if form.errors else 200)


def _why_not(link: Link, presence: Presence) -> str:
    if not link.live:
        return "This account may not ask that hub any more. Link it again."
    if presence.card is None:
        return _OFFLINE
    return "Your hub has no readings yet. Come back in half an hour."


@require_POST
@login_required
@limited("user", "20/10m")
def revoke(request: HttpRequest, hub: str) -> HttpResponse:
    """Tell a hub that this account is not to ask any more."""
    link = get_object_or_404(Link, account=account_of(request), hub=hub)
    card = state.desk().courier.wait_for_card(hub, _CARD_S)
    if card is None:
        messages.error(request, _OFFLINE + " You can end it on the display, too.")
        return redirect("home")
    return _begin(request, link, recipient.revoke_wish(), card)


def _begin(request: HttpRequest, link: Link, wish: dict[str, Any], card: recipient.Card) -> HttpResponse:
    run = state.desk().begin(link, vault_key(request), wish, card)
    return redirect("request", id=run.id)
