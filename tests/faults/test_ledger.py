"""The ledger claims what acknowledged and unsure writes leave possible, and nothing else."""

import httpx
import pytest
from testkit.faults.client import Client, Reply
from testkit.faults.ledger import Claim, Fate, Ledger

ME = ("somebody", "profile")


def claim(*writes: tuple[str, Fate], **told: object) -> Claim:
    ledger = Ledger()
    for value, fate in writes:
        ledger.write(ME, value, fate, **told)  # type: ignore[arg-type]  # the tests' own words
    return ledger.claims()[ME]


def test_the_last_acknowledged_write_is_what_must_be_there() -> None:
    found = claim(("w1", Fate.ACKNOWLEDGED), ("w2", Fate.ACKNOWLEDGED))
    assert (found.possible, found.fewest, found.most) == ({"w2"}, 2, 2)


def test_a_write_that_nobody_knows_about_may_have_happened_or_not() -> None:
    found = claim(("w1", Fate.ACKNOWLEDGED), ("w2", Fate.UNSURE))
    assert (found.possible, found.fewest, found.most) == ({"w1", "w2"}, 1, 2)


def test_nothing_acknowledged_may_leave_nothing() -> None:
    assert claim(("w1", Fate.UNSURE)).possible == {None, "w1"}


def test_an_acknowledged_write_settles_what_was_unsure_before_it() -> None:
    assert claim(("w1", Fate.UNSURE), ("w2", Fate.ACKNOWLEDGED)).possible == {"w2"}


def test_a_write_that_timed_out_may_come_after_later_ones() -> None:
    ledger = Ledger()
    ledger.write(ME, "stopped", Fate.UNSURE, late=True)
    ledger.write(ME, "running", Fate.ACKNOWLEDGED)
    assert ledger.claims()[ME].possible == {"stopped", "running"}


def test_a_refused_write_leaves_all_as_it_was() -> None:
    assert claim(("w1", Fate.ACKNOWLEDGED), ("w2", Fate.REFUSED)).possible == {"w1"}


async def _replies(*answers: httpx.Response | Exception) -> tuple[Reply, Ledger]:
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    ledger = Ledger()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://portal") as http:
        return await Client(http, ledger, patience=2).send("POST", "profiles/v1/me/activation"), ledger


BUSY = {"Retry-After": "0"}


@pytest.mark.parametrize(
    ("answers", "fate", "late"),
    [
        ([httpx.Response(200)], Fate.ACKNOWLEDGED, False),
        ([httpx.Response(409)], Fate.REFUSED, False),
        ([httpx.ConnectError("nobody there"), httpx.Response(409)], Fate.REFUSED, False),
        ([httpx.Response(503, headers=BUSY), httpx.Response(200)], Fate.ACKNOWLEDGED, False),
        ([httpx.Response(503, headers=BUSY), httpx.Response(409)], Fate.UNSURE, False),
        ([httpx.RemoteProtocolError("gone"), httpx.Response(409)], Fate.UNSURE, False),
        ([httpx.ReadTimeout("slow"), httpx.Response(200)], Fate.ACKNOWLEDGED, True),
    ],
)
async def test_a_client_knows_what_it_may_have_done(answers: list[httpx.Response | Exception], fate: Fate, late: bool) -> None:
    reply, ledger = await _replies(*answers)
    assert (reply.fate, reply.late) == (fate, late)
    assert ledger.wrong == []


@pytest.mark.parametrize("answer", [httpx.Response(500, headers=BUSY), httpx.Response(503)])
async def test_a_500_and_a_503_that_does_not_say_when_to_come_back_are_wrong(answer: httpx.Response) -> None:
    _, ledger = await _replies(answer, httpx.Response(200))
    assert len(ledger.wrong) == 1
