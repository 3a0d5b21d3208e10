"""A request under way: waiting for the display, the PIN, the relay of private mode."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import state, words
from ..live import RelayRun, Run, ServerRun
from .session import account_of, limited, vault_key

from meterhub.codec import base64url  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip

_WAIT_S = 10.0
_SAID = {
    "link": "The hub is linked to your account.",
    "revoke": "This account may not ask that hub any more.",
    "bill": "Private billing is on. Your hub begins to seal its half-hours with the next day.",
    "bill-off": "Private billing is off. Your hub seals no more days.",
}


def _run(request: HttpRequest, id: str) -> Run:
    run = state.desk().find(id, account_of(request).pk, vault_key(request))
    if run is None:
        raise Http404
    return run


@require_GET
@login_required
def page(request: HttpRequest, id: str) -> HttpResponse:
    """Show where the request stands."""
    run = _run(request, id)
    about = {"run": run, "wish": run.wish, "code": run.request.code, "link": run.link}
    if isinstance(run, RelayRun):
        config: dict = {
            "token": run.request.token,
            "hub": run.link.hub,
            "hubKey": base64url.encode(run.card.key),
            "code": run.request.code,
            "words": words.for_pages(),
        }
        if run.order is not None:
            about["order"] = run.order
            config["bill"] = run.order.for_page()
        about["config"] = config
        return render(request, "website/private.html", about)
    status = run.status()
    if status["state"] == "done":
        return _done(request, run)
    about |= {"status": status, "pin_error": request.session.pop("pin_error", "")}
    if status["state"] == "refused" and run.error:
        name = words.name_of_hub(run.error.name, run.error.field)
        part = "bill" if run.wish["what"] == "proof" else "part"
        about["trouble"] = words.error_or_bill(name, part if status["received"] else "nothing")
    return render(request, "website/request.html", about)


def _done(request: HttpRequest, run: Run) -> HttpResponse:
    if run.data_id:
        return redirect("data-bill" if run.order is not None else "data", id=run.data_id)
    what = "bill-off" if run.wish.get("of") == "bill" else run.wish["what"]
    messages.success(request, _SAID.get(what, "Done. The readings have been deleted."))
    return redirect("bill", hub=run.link.hub) if what in ("bill", "bill-off") else redirect("home")


@require_GET
@login_required
def status(request: HttpRequest, id: str) -> JsonResponse:
    """Return where the request stands, once it is no longer at version `seen`, or after a while."""
    run = _run(request, id)
    seen = request.GET.get("seen", "")
    if seen.isdecimal():
        run.wait(int(seen), _WAIT_S)
    return JsonResponse({**run.status(), "code": run.request.code})


@require_POST
@login_required
@limited("user", "30/10m")
def pin(request: HttpRequest, id: str) -> HttpResponse:
    """Prove the PIN that was typed; its check digit is looked at before anything is sent."""
    run = _run(request, id)
    if not isinstance(run, ServerRun):
        raise Http404
    typed = "".join(request.POST.get(name, "")[:12] for name in ("pin1", "pin2", "pin3"))
    try:
        run.enter_pin(typed)
    except HubError as error:
        request.session["pin_error"] = words.PIN.get(error.name) or words.error(error.name)["happened"]
    return redirect("request", id=run.id)


@require_POST
@login_required
def cancel(request: HttpRequest, id: str) -> HttpResponse:
    """Stop the request."""
    run = _run(request, id)
    run.cancel()
    state.desk().finish(run)
    return redirect("home")


@require_http_methods(["GET", "POST"])
@login_required
@limited("user", "3000/10m")
def relay(request: HttpRequest, id: str) -> HttpResponse:
    """Hand messages of private mode on, unread: POST one to the hub, GET those that came after number `after`."""
    run = _run(request, id)
    if not isinstance(run, RelayRun):
        raise Http404
    if request.method == "GET":
        after = request.GET.get("after", "")
        found = run.fetch(int(after) if after.isdecimal() else 0, _WAIT_S)
        return JsonResponse({"messages": found, "settled": run.settled})
    if int(request.headers.get("Content-Length") or 0) > mhx.MAX_MESSAGE:
        return _refuse("OVERSIZED", 413)
    try:
        run.post(request.body)
    except HubError as error:
        return _refuse(error.name, 413 if error.name == "OVERSIZED" else 409 if error.name == "WRONG_STATE" else 400)
    state.desk().finish(run)
    return HttpResponse(status=204)


def _refuse(name: str, status: int) -> HttpResponse:
    return HttpResponse(json.dumps({"error": name}), content_type="application/json", status=status)
