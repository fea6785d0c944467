"""The mails that identity asks for."""

from contracts.shapes import mail_request


class IdentityMailRequestEvent(mail_request.MailRequestEvent):
    """A mail that identity asks notifications to send, once per cause."""

    topic = mail_request.topic("identity")


SAMPLES = (IdentityMailRequestEvent.model_validate(mail_request.sample("identity")),)
