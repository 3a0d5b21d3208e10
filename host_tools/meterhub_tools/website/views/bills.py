"""My bill: private billing on and off, the tariff, which days, and the bill of server mode, or of the hub."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from ... import recipient
from ...billing import show
from ...billing.refusals import Refused
from ...errors import ToolError
from .. import bills, ledger, state, words
from ..courier import Presence
from ..forms import AskBill
from ..live import Run
from ..models import Batch, Billing, Link
from ..vault import Stored
from .session import account_of, limited, vault_key

from meterhub.codec import base64url, calendar  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.errors import HubError  # isort: skip

_CARD_S = 4.0
_OFFLINE = "Your hub is offline. Nothing was sent to it. Check its power and network, then try again."
_COARSE = "This account may not ask for half-hours. Link the hub again, every half-hour, then switch it on."
_NO_READING = "No reading left your house."
_TOO_LONG = "This tariff is too long to be sent to your hub. Let this browser make the bill."
_log = logging.getLogger(__name__)


def _link(request: HttpRequest, hub: str) -> Link:
    return get_object_or_404(Link, account=account_of(request), hub=hub)


def _billing(request: HttpRequest, hub: str) -> Billing | None:
    return account_of(request).billings.filter(hub=hub).first()


@require_GET
@login_required
def page(request: HttpRequest, hub: str) -> HttpResponse:
    """Show where private billing of a hub stands."""
    return _page(request, _link(request, hub))


def _page(request: HttpRequest, link: Link, form: AskBill | None = None, status: int = 200) -> HttpResponse:
    billing, presence = _billing(request, link.hub), state.desk().courier.watch(link.hub)
    about: dict = {"link": link, "billing": billing, "presence": presence, "card": presence.card}
    about["typed"] = request.POST.get("tariff", "")
    if billing is not None:
        kept = ledger.batches_of(billing)
        about["batches"] = kept
        about["terms"] = bills.read_terms(billing.tariff) if billing.tariff else None
        about["given"] = account_of(request).bills.filter(hub=link.hub)[:24]
        if kept:
            about["last"] = kept[-1]
            about["form"] = form or _form(None, kept)
    return render(request, "website/bill.html", about, status=status)


def _form(data: QueryDict | None, kept: list[Batch]) -> AskBill:
    """Return the form, filled in with the newest month that is whole, or all days where there is none."""
    days = (kept[0].day, kept[-1].day)
    year, month, last = calendar.date(days[1])
    first = days[1] - last + 1 if last == calendar.month_days(year, month) else days[0]
    return AskBill(data, days=days, first=max(first, days[0]))


@require_POST
@login_required
@limited("user", "20/10m")
def switch_on(request: HttpRequest, hub: str) -> HttpResponse:
    """Ask a hub to commit to its half-hours from now on."""
    link = _link(request, hub)
    presence = state.desk().courier.watch(hub)
    card = state.desk().courier.wait_for_card(hub, _CARD_S)
    if not link.live or link.res != "half-hour" or bills.REGS[0] not in link.regs:
        messages.error(request, _COARSE)
    elif card is None or presence.online is False:
        messages.error(request, _OFFLINE)
    elif refusal := state.desk().gate.refusal(card):
        messages.error(request, refusal)
    else:
        regs = [reg for reg in bills.REGS if reg in link.regs]
        return _begin(request, link, recipient.bill_wish(regs, link.until), card)
    return redirect("bill", hub=hub)


@require_POST
@login_required
@limited("user", "20/10m")
def switch_off(request: HttpRequest, hub: str) -> HttpResponse:
    """Tell a hub to stop."""
    link = _link(request, hub)
    card = state.desk().courier.wait_for_card(hub, _CARD_S)
    if card is None:
        messages.error(request, _OFFLINE + " You can switch it off on the display, too.")
        return redirect("bill", hub=hub)
    return _begin(request, link, recipient.revoke_wish("bill"), card)


def _begin(
    request: HttpRequest, link: Link, wish: dict, card: recipient.Card, order: bills.Order | None = None
) -> HttpResponse:
    run = state.desk().begin(link, vault_key(request), wish, card, order)
    return redirect("request", id=run.id)


@require_POST
@login_required
@limited("user", "60/10m")
def keep_tariff(request: HttpRequest, hub: str) -> HttpResponse:
    """Keep the tariff that the customer has from the supplier; an empty one takes it away."""
    link, billing = _link(request, hub), _billing(request, hub)
    if billing is None:
        raise Http404
    typed = request.POST.get("tariff", "")
    if typed.strip():
        try:
            billing.tariff = base64url.encode(bills.read_terms(typed).raw)
        except ToolError as error:
            messages.error(request, f"{error} Nothing was sent anywhere.")
            return _page(request, link, status=400)
    else:
        billing.tariff = ""
    billing.save(update_fields=["tariff"])
    return redirect("bill", hub=hub)


@require_POST
@login_required
@limited("user", "20/10m")
def ask(request: HttpRequest, hub: str) -> HttpResponse:
    """Ask a hub for the readings and day keys that a bill is made from, or for a bill that it makes itself."""
    link, billing = _link(request, hub), _billing(request, hub)
    if billing is None or not billing.live or not billing.tariff:
        raise Http404
    kept = ledger.batches_of(billing)
    if not kept:
        raise Http404
    form = _form(request.POST, kept)
    presence = state.desk().courier.watch(hub)
    card = state.desk().courier.wait_for_card(hub, _CARD_S)
    if not form.is_valid():
        return _page(request, link, form, 400)
    try:
        order = _order(request, hub, kept, form, billing)
    except ToolError as error:
        text = words.bill_error(error.name, "Nothing left your house.") if isinstance(error, Refused) else None
        form.add_error(None, " ".join((text["happened"], text["left"], text["todo"])) if text else str(error))
        return _page(request, link, form, 400)
    refusal = _why_not(link, presence, card) or (state.desk().gate.refusal(card) if card else "")
    if refusal or card is None:
        form.add_error(None, refusal)
        return _page(request, link, form, 400)
    try:
        return _begin(request, link, _wish(form.cleaned_data["mode"], order, card), card, order)
    except HubError:  # OVERSIZED, before anything was sent
        form.add_error(None, _TOO_LONG)
        return _page(request, link, form, 400)


def _wish(mode: str, order: bills.Order, card: recipient.Card) -> dict:
    if mode == "hub":
        return order.wish
    start, stop = order.wanted
    if card.have:
        start = max(start, card.have[0])
    return recipient.data_wish(mode, order.regs, "half-hour", start, stop, keys=True)


def _order(request: HttpRequest, hub: str, kept: list[Batch], form: AskBill, billing: Billing) -> bills.Order:
    """Return what the bill is to be about; Refused for what can be seen to be refused before anything is asked for."""
    found = form.cleaned_data
    terms = bills.read_terms(billing.tariff)
    order = bills.order(hub, kept, found["days"], terms, found["nonce"])
    if found["mode"] != "server" and not terms.is_linear:
        text = words.bill_error("TARIFF_KIND", "Nothing left your house.")
        raise ToolError(" ".join((text["happened"], text["left"], text["todo"])))
    order.check()
    ledger.given_by(account_of(request), hub).check_bill(hub.encode(), *order.span, terms.digest)
    return order


def _why_not(link: Link, presence: Presence, card: recipient.Card | None) -> str:
    if not link.live:
        return "This account may not ask that hub any more. Nothing was sent. Link it again."
    return _OFFLINE if card is None or presence.online is False else ""


@require_GET
@login_required
def all_batches(request: HttpRequest, hub: str) -> HttpResponse:
    """Return all that a hub has sealed since private billing was switched on, as a file."""
    billing = _billing(request, hub)
    if billing is None:
        raise Http404
    return _file(bills.file_of(bytes(one.raw) for one in ledger.batches_of(billing)), hub)


def _file(content: bytes, hub: str, kind: str = "mhb") -> HttpResponse:
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="meterhub-{hub}.{kind}"'
    return answer


# -- private mode: the page makes the bill -------------------------------------------------------------------------


def _run(request: HttpRequest, id: str) -> tuple[Run, bills.Order]:
    run = state.desk().find(id, account_of(request).pk, vault_key(request))
    if run is None or run.order is None:
        raise Http404
    return run, run.order


@require_GET
@login_required
def batches_of_run(request: HttpRequest, id: str) -> HttpResponse:
    """Return the batches that a bill is about."""
    run, order = _run(request, id)
    return _file(order.file, run.link.hub)


@require_POST
@login_required
@limited("user", "60/10m")
def note_made(request: HttpRequest, id: str) -> HttpResponse:
    """Note that the page has made the bill it was asked for: that it was, and never what it came to."""
    _, order = _run(request, id)
    return HttpResponse(status=204 if _note(request, order) else 409)


def _note(request: HttpRequest, order: bills.Order) -> bool:
    try:
        ledger.give(account_of(request), order.hub, *order.span, order.terms.digest.hex())
    except Refused:
        return False
    return True


# -- server mode, and by the hub ---------------------------------------------------------------------------------


def _stored(request: HttpRequest, id: str) -> tuple[Stored, bills.Order]:
    stored = state.desk().vault.find(vault_key(request), id)
    if stored is None or stored.order is None:
        raise Http404
    return stored, stored.order


@require_GET
@login_required
def of_data(request: HttpRequest, id: str) -> HttpResponse:
    """Show the bill that this website has made, and the page verifies again; or the hub's, verified here."""
    stored, order = _stored(request, id)
    about: dict = {"stored": stored, "order": order, "link": _link(request, stored.hub)}
    try:
        if stored.made is None:
            stored.made = bills.made_of(order, stored.result)
        if not _note(request, order):
            raise Refused("SECOND_BILL")
    except Refused as refused:
        _log.warning("a bill was refused: %s", refused.name)
        about["trouble"] = words.bill_error(refused.name, *([_NO_READING] if stored.is_bill else []))
        return render(request, "website/data_bill.html", about, status=409)
    made = stored.made
    about["made"] = made
    if stored.is_bill:
        said = forms.bill_of(made.bill)
        about |= {"said": said, "amounts": show.amounts(said, order.terms.rates)}
        return render(request, "website/hub_bill.html", about)
    about["config"] = {
        "hub": stored.hub,
        "hubKey": base64url.encode(stored.result.hub_key),
        "bill": order.for_page()
        | {"bill": base64url.encode(made.bill), "proof": base64url.encode(made.proof)}
        | {"keys": base64url.encode(made.keys), "linear": order.terms.is_linear},
    }
    return render(request, "website/data_bill.html", about)


@require_GET
@login_required
def batches_of_data(request: HttpRequest, id: str) -> HttpResponse:
    """Return the batches that a bill is about."""
    stored, order = _stored(request, id)
    return _file(order.file, stored.hub)


@require_GET
@login_required
def tariff_of_data(request: HttpRequest, id: str) -> HttpResponse:
    """Return the tariff that a bill is by."""
    stored, order = _stored(request, id)
    return _file(order.terms.raw, stored.hub, "mht")


@require_GET
@login_required
def file_of_data(request: HttpRequest, id: str) -> HttpResponse:
    """Return a bill with its proof, once it was verified."""
    stored, order = _stored(request, id)
    if stored.made is None or not _note(request, order):
        raise Http404
    return _file(stored.made.bill + stored.made.proof, stored.hub, "bill")
