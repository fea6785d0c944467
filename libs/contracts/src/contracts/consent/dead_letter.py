"""What the consumers of consent could not handle."""

from contracts.shapes import dead_letter


class ConsentDeadLetterEvent(dead_letter.DeadLetterEvent):
    """A record that a consumer of consent could not handle: position and reason, never the content."""

    topic = dead_letter.topic("consent")


SAMPLES = (ConsentDeadLetterEvent.model_validate(dead_letter.sample()),)
