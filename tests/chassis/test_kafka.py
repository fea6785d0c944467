"""Who one is at Kafka, and what a worker waits for before it consumes."""

import asyncio
import ssl

from aiokafka.errors import KafkaConnectionError
from chassis.kafka import Kafka, ensure_topics, make_broker, start_when_up
from structlog.testing import capture_logs
from testkit.counters import fresh_stream
from testkit.waiting import eventually


def test_a_login_is_what_every_client_is_told() -> None:
    told = Kafka("one:9092,two:9092", "profiles", "hunter2").arguments
    assert told == {
        "bootstrap_servers": "one:9092,two:9092",
        "security_protocol": "SASL_PLAINTEXT",
        "ssl_context": None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "profiles",
        "sasl_plain_password": "hunter2",
    }


def test_tls_wants_a_certificate_that_is_trusted_for_the_brokers_name() -> None:
    for kafka, protocol in ((Kafka("a:1", "u", "p", tls=True), "SASL_SSL"), (Kafka("a:1", tls=True), "SSL")):
        told = kafka.arguments
        assert told["security_protocol"] == protocol
        assert (told["ssl_context"].verify_mode, told["ssl_context"].check_hostname) == (ssl.CERT_REQUIRED, True)


def test_without_a_user_nobody_logs_in() -> None:
    told = Kafka("a:1").arguments
    assert (told["security_protocol"], "sasl_mechanism" in told) == ("PLAINTEXT", False)


def test_the_password_stays_out_of_texts() -> None:
    assert "hunter2" not in repr(Kafka("a:1", "u", "hunter2"))


async def test_a_consumer_waits_for_the_topics_that_others_make_and_says_which(kafka: Kafka) -> None:
    own, others = fresh_stream(), fresh_stream()
    broker = make_broker(kafka, client_id="test")
    with capture_logs() as lines:
        starting = asyncio.create_task(start_when_up(broker, kafka, own=[own.topic], followed=[others.topic.name]))
        told = await eventually(lambda: [line for line in lines if line["event"] == "topics_missing"])
        assert told[0]["topics"] == {others.topic.name: "not there, or not to be read"}
        assert not starting.done()
        await ensure_topics(kafka, [others.topic])
        await asyncio.wait_for(starting, 20)
    assert await broker.ping(5)
    await broker.stop()


async def test_a_wrong_password_is_tried_again_like_an_absent_broker(kafka: Kafka) -> None:
    unknown = Kafka(kafka.servers, kafka.user, "wrong")
    broker = make_broker(unknown, client_id="test")
    with capture_logs() as lines:
        starting = asyncio.create_task(start_when_up(broker, unknown, own=[], followed=[]))
        await eventually(lambda: len([line for line in lines if line["event"] == "kafka_away"]) > 1)
    assert {line["error"] for line in lines} == {KafkaConnectionError.__name__}
    starting.cancel()
    await asyncio.wait({starting})
