"""UC-08, distribution network management data: a test for each numbered flow, on a real hub and a real broker."""

import pytest
from market import Market

from meterhub.codec import profile_page

DAYS = 9


@pytest.fixture(scope="module")
def market():
    with Market(history_s=DAYS * 86400) as market:
        yield market


def all_pages(market, cmd):
    """Return the pages of a whole profile, as the network operator gets them."""
    pages, at = [], 0
    while True:
        answer = market.ask("DNO", cmd, {"from": at})
        assert answer["outcome"] == "done", answer
        pages.append(answer["data"])
        at = answer["data"]["next"]
        if not at:
            return pages


@pytest.mark.parametrize(("cmd", "obis", "first"), [("profile_import", "1.8", 0), ("profile_export", "2.8", 2)])
def test_uc_08_b_the_network_operator_validates_what_it_asked_for(market, cmd, obis, first):
    pages = all_pages(market, "read." + cmd)
    assert len(pages) > 1
    seqs, truth = [], market.home.meter.household
    for page in pages:
        assert profile_page.is_whole(page)
        assert page["registers"] == [[f"1-0:{obis}.0", 30, 0]]
        for seq, quality, told in profile_page.rows(page):
            shown = truth.registers((seq + 1) * page["step_s"])
            assert (quality, told) == (1, [shown[first] + shown[first + 1]])
            seqs.append(seq)
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert len(seqs) >= DAYS * 48 - 1
    market.journal("command done", f"UC-01 read.{cmd} DNO")


def test_uc_08_b_the_maximum_demand_is_that_of_the_profile(market):
    page = all_pages(market, "read.profile_import")
    grown = [(value or 0) for one in page for value in one["values"][0][(0 if one["base"][0] is not None else 1) :]]
    data = market.ask("DNO", "read.max_demand")["data"]
    assert data["w"] == [2 * max(grown)]
    days = market.ask("DNO", "read.max_demand", {"res": "day"})["data"]
    assert len(days["w"]) >= DAYS
    assert max(days["w"]) == 2 * max(grown)


def test_uc_08_b_what_flash_has_lost_is_told_by_name(market):
    # the newest month's; in its first hours there is little more in it than what begins the file
    path = max((market.home.hub.data / "profile").iterdir(), key=lambda path: (path.stat().st_size > 120, path))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) - 30] ^= 4
    path.write_bytes(damaged)
    try:
        assert market.refused("DNO", "read.profile_import", {"last_s": 86400}) == "RETRIEVE_FAILED profile"
        market.journal("RETRIEVE_FAILED", "UC-01 read.profile_import DNO")
        rest = market.ask("DNO", "read.profile_import", {"last_s": 86400, "skip": 1})["data"]
        assert "0" in rest["quality"]
        assert profile_page.is_whole(rest)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("role", "cmd", "arg", "error"),
    [
        ("LC", "read.profile_import", {}, "NOT_AUTHORISED cmd"),
        ("SUP", "read.profile_export", {}, "NOT_AUTHORISED cmd"),
        ("DNO", "read.profile_import", {"last_s": 0}, "INVALID_VALUE arg.last_s"),
        ("DNO", "read.max_demand", {"res": "year"}, "INVALID_VALUE arg.res"),
        ("DNO", "set.max_demand_period", {"from_s": 7, "to_s": 3600}, "INVALID_VALUE arg.from_s"),
        ("DNO", "read.profile_reactive", {}, "NOT_AVAILABLE profile.registers"),
    ],
)
def test_uc_08_a1_a_request_that_is_not_valid_is_refused_and_told(market, role, cmd, arg, error):
    before = market.state("max-demand")
    sent = market.send(role, cmd, arg)
    answer = market.answer(sent)
    assert (answer["outcome"], answer["error"] + " " + answer["field"], answer["data"]) == ("refused", error, {})
    market.journal(error.split()[0], f"{cmd} {role} {sent.party.kid}/{sent.ctr}")
    assert market.state("max-demand") == before


def test_uc_08_a2_data_that_is_not_received_is_sent_again_and_that_is_recorded(market):
    market.received_late("DNO", "read.profile_import", {"last_s": 3600})


def test_uc_08_a3_data_that_is_invalid_at_the_operator_is_asked_for_again_and_is_identical(market):
    got = market.ask("DNO", "read.profile_import", {"last_s": 86400})["data"]
    assert profile_page.is_whole(got)
    damaged = got | {"values": [[None] + got["values"][0][1:]]}
    assert not profile_page.is_whole(damaged)  # a gap where there was none
    assert not profile_page.is_whole(got | {"quality": got["quality"][:-1]})
    again = market.ask("DNO", "read.profile_import", {"from": got["from"], "to": got["to"]})["data"]
    assert again == got
