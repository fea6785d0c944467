"""What profiles has done for a person's request."""

from contracts.shapes import request_part


class ProfilesRequestPartEvent(request_part.RequestPartEvent):
    """Profiles confirms its part of a request."""

    topic = request_part.topic("profiles")


SAMPLES = (ProfilesRequestPartEvent.model_validate(request_part.sample()),)
