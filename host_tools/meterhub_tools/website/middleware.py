"""What every answer of the site has in common."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from . import state

_FEATURES = ("camera", "geolocation", "microphone", "payment", "usb", "serial")


def keep_private(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep pages out of every cache, and note for the vault that the session is alive."""

    def middleware(request: HttpRequest) -> HttpResponse:
        key = str(request.session.get("vault", ""))
        if key:
            state.desk().vault.touch(key)
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = ", ".join(f"{feature}=()" for feature in _FEATURES)
        return response

    return middleware


def site_name(_request: HttpRequest) -> dict:
    """Give every template the name under which hubs know this site."""
    return {"site_name": state.desk().recipient.name}
