"""The mails that consent asks for."""

from contracts.shapes import mail_request


class ConsentMailRequestEvent(mail_request.MailRequestEvent):
    """A mail that consent asks notifications to send, once per cause."""

    topic = mail_request.topic("consent")


SAMPLES = (ConsentMailRequestEvent.model_validate(mail_request.sample("consent")),)
