"""A round that could not be played says why, and a fault that meets another one waits for it."""

from aiokafka.errors import KafkaConnectionError
from testkit.faults.broker import when_up
from testkit.faults.rounds import told


def test_of_several_errors_that_came_together_each_is_named():
    both = ExceptionGroup("unhandled", [KeyError("items"), ExceptionGroup("inner", [OSError("away")])])
    assert told(both) == "KeyError: 'items'; OSError: away"


async def test_a_fault_asks_kafka_again_while_another_one_has_it_away():
    answers = [KafkaConnectionError(), OSError(), None]

    async def ask() -> str | None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return None

    assert await when_up(ask) is None
    assert not answers
