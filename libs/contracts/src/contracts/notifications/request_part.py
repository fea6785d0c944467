"""What notifications has done for a person's request."""

from contracts.shapes import request_part


class NotificationsRequestPartEvent(request_part.RequestPartEvent):
    """Notifications confirms its part of a request."""

    topic = request_part.topic("notifications")


SAMPLES = (NotificationsRequestPartEvent.model_validate(request_part.sample()),)
