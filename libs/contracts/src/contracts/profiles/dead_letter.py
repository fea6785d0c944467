"""What the consumers of profiles could not handle."""

from contracts.shapes import dead_letter


class ProfilesDeadLetterEvent(dead_letter.DeadLetterEvent):
    """A record that a consumer of profiles could not handle: position and reason, never the content."""

    topic = dead_letter.topic("profiles")


SAMPLES = (ProfilesDeadLetterEvent.model_validate(dead_letter.sample()),)
