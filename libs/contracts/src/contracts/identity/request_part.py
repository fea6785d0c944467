"""What identity has done for a person's request."""

from contracts.shapes import request_part


class IdentityRequestPartEvent(request_part.RequestPartEvent):
    """Identity confirms its part of a request."""

    topic = request_part.topic("identity")


SAMPLES = (IdentityRequestPartEvent.model_validate(request_part.sample()),)
