"""Messages: what the displays of my hubs show, and what I decide about it.

Whoever is logged in to an account that the household has linked decides as somebody at the display does. The PIN of
the household protects the display's buttons; here it is the account's password.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from .. import ledger, state
from ..models import Link, Notice
from .session import account_of, limited

_OFFLINE = "Your hub is offline. Nothing was decided. Decide on its display, or try again later."


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Show what the displays show."""
    return render(request, "website/messages.html", {"hubs": ledger.notices_of(account_of(request))})


@require_POST
@login_required
@limited("user", "30/10m")
def decide(request: HttpRequest, hub: str, number: int) -> HttpResponse:
    """Tell the hub what the customer has decided."""
    link = get_object_or_404(Link, account=account_of(request), hub=hub)
    if not link.live:
        raise Http404
    found = get_object_or_404(ledger.notices_for(link), number=number)
    decision = request.POST.get("decision", "")
    if decision not in dict(found.choices):
        messages.error(request, "That is not open any more. Nothing was decided here.")
    elif state.desk().courier.watch(hub).online is False:
        messages.error(request, _OFFLINE)
    else:
        Notice.objects.filter(pk=found.pk).update(decided=decision)
        state.desk().decide(link, number, decision)
    return redirect("messages")
