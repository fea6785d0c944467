"""The mails that profiles asks for."""

from contracts.shapes import mail_request


class ProfilesMailRequestEvent(mail_request.MailRequestEvent):
    """A mail that profiles asks notifications to send, once per cause."""

    topic = mail_request.topic("profiles")


SAMPLES = (ProfilesMailRequestEvent.model_validate(mail_request.sample("profiles")),)
