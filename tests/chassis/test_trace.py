"""One trace from request to event (W3C Trace Context): what is carried, what is recorded, and what never is."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiokafka import ConsumerRecord
from chassis import inbox, logs, trace
from chassis.clock import Clock
from chassis.http.context import Allowance
from chassis.inbox import Incoming
from chassis.jobs import Job, Jobs
from chassis.leases import Leases
from chassis.mongo import Mongo, transact
from chassis.outbox import INDEXES
from chassis.tracing import LONGEST_FLUSH, exporting
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from pymongo.errors import OperationFailure
from testkit.counters import fresh_stream, headers_of, make_consumer, make_relay, prepare, raise_counter
from testkit.probe import read_topic
from testkit.spans import collecting
from testkit.waiting import eventually

ID = "0af7651916cd43dd8448eb211c80319c"
GOOD = f"00-{ID}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{ID}-b7ad6b7169203331-00"
BAD = [None, "", "nonsense", GOOD.upper(), GOOD + "x", GOOD.replace(ID, "0" * 32), f"00-{ID}-{'0' * 16}-01"]


def recording(sampler):
    memory, provider = InMemorySpanExporter(), TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.record_with(provider.get_tracer("test"))
    return memory


@pytest.fixture
def spans():
    yield recording(ParentBased(ALWAYS_ON)).get_finished_spans
    trace.record_with(None)


@pytest.fixture
def unsampled():
    yield recording(ParentBased(TraceIdRatioBased(0.0))).get_finished_spans
    trace.record_with(None)


@pytest.fixture
async def traced(spans, mongo_url, mongo_database):
    """A database whose commands are recorded."""
    made = Mongo(mongo_url, database=mongo_database, clock=Clock(), patience=timedelta(seconds=10))
    yield made
    await made.close()


def is_sampled(traceparent):
    return int(traceparent.split("-")[3], 16) & 1 == 1


def id_of(span):
    return f"{span.context.span_id:016x}"


def parent_of(span):
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def trace_of(span):
    return f"{span.context.trace_id:032x}"


@pytest.mark.parametrize("traceparent", [GOOD, UNSAMPLED])
def test_a_received_trace_goes_on_where_nothing_is_recorded(traceparent):
    with trace.begin("x", traceparent) as span:
        assert span.traceparent == trace.current() == trace.running() == traceparent
    assert trace.running() is None
    assert trace.trace_id(traceparent) == ID


@pytest.mark.parametrize("bad", BAD)
def test_a_missing_or_malformed_one_begins_a_new_trace_that_asks_nobody_to_record(bad):
    begun = trace.begin("x", bad).traceparent
    assert ID not in begun
    assert not is_sampled(begun)
    assert trace.begin("x", begun).traceparent == begun


@pytest.mark.parametrize("bad", BAD)
def test_a_missing_or_malformed_one_begins_a_new_recorded_tree(spans, bad):
    with trace.begin("x", bad) as span:
        assert is_sampled(span.traceparent)
    assert [(one.name, one.parent) for one in spans()] == [("x", None)]
    assert trace_of(spans()[0]) == trace.trace_id(span.traceparent) != ID


def test_a_span_goes_on_below_what_was_received_and_has_others_below_it(spans):
    with trace.begin("above", GOOD) as above:
        assert trace.current() == above.traceparent
        trace.inside("below").end()
    first, second = spans()
    assert (first.name, parent_of(first)) == ("below", id_of(second))
    assert (second.name, parent_of(second)) == ("above", "b7ad6b7169203331")
    assert {trace_of(first), trace_of(second)} == {ID}


def test_nothing_is_recorded_below_what_is_not_sampled_or_where_nothing_runs(spans):
    trace.inside("x").end()
    with trace.begin("x", UNSAMPLED) as span, trace.inside("y") as below:
        assert span.traceparent == below.traceparent == UNSAMPLED
    assert spans() == ()


def test_a_ratio_of_nothing_records_nothing_and_the_trace_still_flows_into_events_and_logs(unsampled):
    with trace.begin("x", None) as span:
        assert span.traceparent == trace.current()
        assert not is_sampled(span.traceparent)
        assert logs.add_trace(None, "info", {}) == {"trace_id": trace.trace_id(span.traceparent)}
        trace.inside("y").end()
    assert logs.add_trace(None, "info", {}) == {}
    assert unsampled() == ()


def test_an_error_leaves_its_type_and_never_its_text(spans):
    with pytest.raises(ValueError, match="Janneke"), trace.begin("x", None):
        raise ValueError("no such person: Janneke")
    (span,) = spans()
    assert dict(span.attributes) == {"error.type": "ValueError"}
    assert not span.status.is_ok
    assert (span.status.description, span.events) == (None, ())


async def test_database_commands_lie_below_what_runs_without_what_they_say(traced, spans):
    await traced.find_one("people", {"name": "Janneke"})
    assert spans() == ()

    async def work(uow):
        await uow.find("people", {"name": "Janneke"})
        uow.insert("people", {"_id": "Janneke"})

    with trace.begin("root", None) as root:
        await transact(traced, work)
    *commands, last = spans()
    assert [span.name for span in commands] == ["find people", "insert people", "commitTransaction"]
    assert {parent_of(span) for span in commands} == {root.traceparent.split("-")[2]} == {id_of(last)}
    assert "Janneke" not in "".join(span.to_json() for span in spans())


async def test_a_failed_command_leaves_the_name_of_its_code(traced, spans):
    with trace.begin("root", None), pytest.raises(OperationFailure, match="Janneke"):
        await traced.find_one("people", {"$Janneke": 1})
    (found,) = [span for span in spans() if span.name == "find people"]
    assert found.attributes["error.type"] == "BadValue"
    assert "Janneke" not in found.to_json()


async def test_a_process_that_records_nothing_listens_to_no_command(mongo):
    assert not mongo.client.delegate.options.event_listeners


def test_anybody_may_ask_for_a_recorded_request_but_only_so_often():
    allowance = Allowance(3)
    assert [allowance.take() for _ in range(5)] == [True, True, True, False, False]
    assert trace.asks_to_record(GOOD)
    assert not any(trace.asks_to_record(one) for one in [UNSAMPLED, *(bad or "" for bad in BAD)])
    assert trace.unrecorded(GOOD) == UNSAMPLED


def the(stream):
    (subscription,) = make_consumer(None, stream, None).subscriptions
    return subscription


def record_of(stream, key, traceparent, value):
    headers = headers_of(stream, traceparent=traceparent)
    return ConsumerRecord(stream.topic.name, 0, 0, 0, 0, key.encode(), value, 0, 0, 0, headers)


def incoming(stream, key, traceparent):
    value = stream.event.model_validate({"counter": key, "value": 1}).model_dump_json().encode()
    found = inbox.decode(record_of(stream, key, traceparent, value), {(stream.topic.name, stream.topic.event_type): the(stream)})
    assert isinstance(found, Incoming)
    return found


async def test_the_events_of_one_batch_stay_in_their_traces(traced, spans):
    stream = fresh_stream()
    await traced.ensure_indexes(INDEXES)

    async def follow_up(item, uow):
        await asyncio.sleep(0)
        await uow.find_one("things", {"_id": item.key})
        uow.emit(item.event, sequence=1)

    received = {f"k{number}": f"00-{number:032x}-{number:016x}-01" for number in range(1, 4)}
    received |= {"quiet": UNSAMPLED, "broken": "no traceparent"}
    await make_consumer(traced, stream, follow_up).apply([incoming(stream, key, one) for key, one in received.items()])
    rows = {row["key"]: row["traceparent"] for row in await traced.find("outbox", {})}
    handled = {trace_of(span): span for span in spans() if span.name == f"process {stream.topic.name}"}
    for key in ("k1", "k2", "k3"):
        _, its_trace, its_span, _ = received[key].split("-")
        assert parent_of(handled[its_trace]) == its_span
        assert rows[key] == f"00-{its_trace}-{id_of(handled[its_trace])}-01"
        reads = [span for span in spans() if span.name == "find things" and trace_of(span) == its_trace]
        assert [parent_of(span) for span in reads] == [id_of(handled[its_trace])]
    assert rows["quiet"] == UNSAMPLED
    assert handled[trace.trace_id(rows["broken"])].parent is None
    assert len(handled) == 4


async def test_what_cannot_be_read_is_set_aside_in_its_own_trace(traced, spans):
    stream = fresh_stream()
    poison = inbox.decode(record_of(stream, "k", GOOD, b"no json"), {(stream.topic.name, stream.topic.event_type): the(stream)})
    await make_consumer(traced, stream, None).apply([poison])
    (row,) = await traced.find("dead_letters", {})
    (span,) = [span for span in spans() if span.name == f"set aside {stream.topic.name}"]
    assert row["trace"].startswith(f"00-{ID}-{id_of(span)}-")
    assert parent_of(span) == "b7ad6b7169203331"


async def test_each_run_of_a_job_is_a_trace_of_its_own(traced, spans):
    async def run():
        await traced.find_one("due", {})
        return 0

    jobs = Jobs([Job("sweep", timedelta(milliseconds=20), run)], Leases(traced, owner="w", term=timedelta(seconds=2)))
    running = asyncio.create_task(jobs.run())
    await eventually(lambda: len([span for span in spans() if span.name == "job sweep"]) > 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    roots = {trace_of(span): id_of(span) for span in spans() if span.name == "job sweep"}
    assert len(roots) > 1
    assert {span.name for span in spans() if span.parent} == {"find due"}
    assert all(parent_of(span) == roots[trace_of(span)] for span in spans() if span.parent)


async def test_publishing_is_a_span_below_what_wrote_the_row_and_the_record_names_it(traced, kafka, spans):
    stream = fresh_stream()
    await prepare(traced, stream, kafka)
    with trace.begin("root", None) as root:
        await raise_counter(traced, stream, "sampled")
    with trace.begin("root", UNSAMPLED):
        await raise_counter(traced, stream, "unsampled")
    relaying = asyncio.create_task(make_relay(traced, stream, kafka, owner="relay").run())
    await eventually(lambda: is_empty(traced))
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    sent = {
        record.key.decode(): dict(record.headers)["traceparent"].decode() for record in await read_topic(kafka, stream.topic.name)
    }
    (span,) = [span for span in spans() if span.name == f"send {stream.topic.name}"]
    assert parent_of(span) == root.traceparent.split("-")[2]
    assert sent["sampled"].startswith(f"00-{trace_of(span)}-{id_of(span)}-")
    assert is_sampled(sent["sampled"])
    assert sent["unsampled"] == UNSAMPLED


async def is_empty(mongo):
    return await mongo.find_one("outbox", {}) is None


@pytest.mark.integration
async def test_spans_reach_a_collector_before_the_process_ends():
    with collecting() as (collector, endpoint):
        with exporting("sample", "api", endpoint=endpoint, ratio=1.0):
            assert trace.recording()
            trace.begin("last", None).end()
        assert [(span.service, span.name) for span in collector.spans] == [("sample", "last")]
    assert not trace.recording()


@pytest.mark.integration
def test_without_a_collector_a_process_goes_on_and_stops_in_time():
    with collecting() as (_, endpoint):
        pass
    with exporting("sample", "api", endpoint=endpoint, ratio=1.0):
        for number in range(5000):  # more than the queue holds
            trace.begin(f"n{number}", None).end()
        leaving = time.monotonic()
    assert time.monotonic() - leaving < LONGEST_FLUSH + 1


def test_without_an_endpoint_nothing_is_recorded():
    with exporting("sample", "api", endpoint="", ratio=1.0):
        assert not trace.recording()
