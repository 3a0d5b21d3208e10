"""What an export is called: on the display, and in the consent log.

Runs on  both
"""

_WORDS = {"half-hour": "half-hours", "day": "days", "month": "months"}
_READERS = {"server": "they CAN read it", "private": "only your browser"}


def detail(request) -> str:
    """Return the detail of the request's entry in the consent log."""
    claims = request.claims
    wish = claims["what"] + (" bill" if claims.get("of") == "bill" else " keys" if claims.get("keys") else "")
    detail = [request.kid, claims["sub"], wish, claims["mode"], claims.get("res", "")]
    detail += [str(claims.get("from", "")), str(claims.get("to", claims.get("until", "")))]
    return "|".join(detail)


def wish(claims: dict, zone) -> list:
    """Return two lines of at most 21 characters that say what is asked for."""
    if claims["what"] == "link":
        return ["wants: to be linked", _WORDS[claims["res"]] + " to " + _day(zone.local(claims["until"]))]
    if claims["what"] == "bill":
        return ["private billing", "to " + _day(zone.local(claims["until"]))]
    start, stop = zone.local(claims["from"]), zone.local(claims["to"] - 1)
    if claims["what"] == "proof":
        return ["wants: a bill", _day(start) + "-" + _day(stop)]
    wish = "half-hours, bill keys" if claims.get("keys") else "wants: " + _WORDS[claims["res"]]
    return [wish, _day(start) + "-" + _day(stop)]


def _day(local):
    return "%d.%d.%02d" % (local[2], local[1], local[0] % 100)


_NOTICES = {
    "CONSUMER_DECLINED": ["you said no", "nothing was sent"],
    "CANCELLED": ["cancelled", "nothing was sent"],
    "CONSUMER_TIMEOUT": ["not answered", "nothing was sent"],
    "PIN_EXPIRED": ["PIN expired", "nothing was sent"],
    "PIN_DEAD": ["3 wrong PINs", "nothing was sent", "request is dead"],
    "NOT_RECEIVED": ["broken off", "not all was sent"],
    "REVOKED": ["consent revoked", "nothing was sent"],
}


def notice(request, result: str, name: str) -> list:
    """Return the lines that tell what became of a request."""
    if result == "done" and request.claims["what"] == "proof":
        return ["sent:", "your bill"]
    if result == "done":
        return ["sent:", "%d %s" % (request.stream.present, _WORDS[request.claims["res"]])]
    if result == "linked":
        return {"bill": ["private billing", "from tomorrow on"]}.get(
            request.claims["what"], ["linked", "it may ask now"]
        )
    if name == "REVOKED" and request.state == "sending":
        return ["consent revoked", "sending has ended", "What was sent", "stays with them."]
    return _NOTICES.get(name, ["refused", name])


def readers(claims: dict) -> str:
    """Return who will be able to read what is asked for."""
    if claims["what"] == "proof":
        from .billing_prover import told  # noqa: PLC0415 - only who has private billing

        return told(claims)
    return "it sees no readings" if claims["what"] == "bill" else _READERS[claims["mode"]]


def needs(request, consent: dict, of: str) -> bool:
    """Return whether an open request cannot go on without a consent, which is of a link or of billing."""
    claims = request.claims
    if (request.kid, claims["sub"]) != (consent["kid"], consent["sub"]):
        return False
    of_bill = claims["what"] in ("bill", "proof")
    return of_bill or bool(claims.get("keys")) if of == "bill" else not of_bill
