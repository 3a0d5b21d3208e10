"""What views ask of a request: whose it is, where its data lies, and whether it comes too often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django_ratelimit.decorators import ratelimit  # type: ignore[import-untyped]

from ..models import Account

View = TypeVar("View", bound=Callable[..., Any])
Key = str | Callable[[str, HttpRequest], str]


def limited(key: Key, rate: str) -> Callable[[View], View]:
    """Refuse a POST with status 429 once `rate` ("5/10m") is used up for `key` ("ip", "user", "post:NAME")."""
    decorator: Callable[[View], View] = ratelimit(key=key, rate=rate, method="POST")
    return decorator


def account_of(request: HttpRequest) -> Account:
    """Return the account that is logged in; the view has login_required."""
    if not isinstance(request.user, Account):
        raise TypeError("login_required is missing")
    return request.user


def vault_key(request: HttpRequest) -> str:
    """Return the key under which this session's data lies; '' when nobody is logged in."""
    return str(request.session.get("vault", ""))
