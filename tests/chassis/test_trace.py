"""One trace from request to event (W3C Trace Context)."""

import pytest
from chassis import trace

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_received_trace_goes_on():
    assert trace.continue_from(GOOD) == trace.current() == GOOD
    assert trace.trace_id(GOOD) == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "bad", [None, "", "nonsense", GOOD.upper(), GOOD + "x", GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)]
)
def test_a_missing_or_malformed_one_begins_a_new_trace(bad):
    begun = trace.continue_from(bad)
    assert begun != bad
    assert trace.continue_from(begun) == begun
