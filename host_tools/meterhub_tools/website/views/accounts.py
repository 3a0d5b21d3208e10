"""Sign up, log in, log off, and what is said when something is refused."""

from __future__ import annotations

import secrets

from django.contrib.auth import login, logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_ratelimit.exceptions import Ratelimited  # type: ignore[import-untyped]

from .. import reports, state
from ..forms import SignUp
from ..models import Account
from .session import account_of, limited, vault_key


@require_http_methods(["GET", "POST"])
@limited("ip", "30/h")
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and go in."""
    form = SignUp(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = form.cleaned_data
        try:
            account = Account.objects.create_user(found["username"], found["meter_id"], found["password"])
        except IntegrityError:
            form.add_error("username", "This name is taken.")
        else:
            _enter(request, account)
            return redirect("home")
    return render(request, "website/sign_up.html", {"form": form}, status=400 if form.errors else 200)


def _who_and_where(group: str, request: HttpRequest) -> str:
    """Count tries per name and address, so that a stranger's tries do not lock a customer out."""
    return f"{request.META['REMOTE_ADDR']} {request.POST.get('username', '')[:40].lower()}"


@require_http_methods(["GET", "POST"])
@limited("ip", "60/5m")
@limited(_who_and_where, "8/5m")
@limited("post:username", "40/5m")
def log_in(request: HttpRequest) -> HttpResponse:
    """Let a customer in."""
    form = AuthenticationForm(request, request.POST or None)
    form.fields["username"].label = "User name"
    if request.method == "POST" and form.is_valid():
        _enter(request, form.get_user())
        onward = request.GET.get("next", "")
        inside = url_has_allowed_host_and_scheme(onward, {request.get_host()}, request.is_secure())
        return redirect(onward if inside else "home")
    return render(request, "website/log_in.html", {"form": form}, status=400 if form.errors else 200)


def _enter(request: HttpRequest, account: AbstractBaseUser) -> None:
    _leave(request)
    login(request, account)
    request.session["vault"] = secrets.token_urlsafe(18)


def _leave(request: HttpRequest) -> None:
    key = vault_key(request)
    if key:
        state.desk().leave(key)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Delete what was decrypted, end the session, and tell the browser to forget."""
    _leave(request)
    logout(request)
    answer = redirect("log-in")
    answer["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


@require_GET
@login_required
def log(request: HttpRequest) -> HttpResponse:
    """Show every request of this account, and what its hubs have told."""
    account = account_of(request)
    told = reports.of(account)
    page = {
        "entries": account.log.all()[:200],
        "linked": account.links.exists(),
        "lost": [(hub, _name_of(hub), count) for hub, count in told.lost],
        "events": [(event, _name_of(event.hub)) for event in told.events],
    }
    return render(request, "website/log.html", page)


def _name_of(hub: str) -> str:
    """Return what the household calls the hub, as far as it has said so."""
    card = state.desk().courier.watch(hub).card
    return card.name if card is not None and card.name else "Hub"


def refused(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Say why something is not allowed; too many tries get status 429."""
    if isinstance(exception, Ratelimited):
        return _trouble(request, 429, "That was too often.", "Wait five minutes, then try again.")
    return _trouble(request, 403, "That is not allowed.", "Go back to the start page.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is nothing (any more), in the same words whether it never was or is another's."""
    return _trouble(
        request, 404, "There is nothing here (any more).", "Readings are deleted when you log off; ask for them again."
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form was not sent from a page of this site."""
    return _trouble(request, 403, "This form was too old, or did not come from this site.", "Load the page again.")


def _trouble(request: HttpRequest, status: int, happened: str, todo: str) -> HttpResponse:
    trouble = {"happened": happened, "left": "Nothing left your house.", "todo": todo}
    return render(request, "website/trouble.html", {"trouble": trouble}, status=status)
