"""What a mail in the queue is: its class, the states it goes through, and why it ended. No I/O."""

from enum import StrEnum


class MailClass(StrEnum):
    """What to do when it is unsure whether the mail server took a mail."""

    MUST_ARRIVE = "must-arrive"
    """Send it again: twice is better than never (a confirmation, the renewal question)."""

    AT_MOST_ONCE = "at-most-once"
    """Never send it again: once too few is better than twice (an alert)."""


class State(StrEnum):
    """Where a mail stands; the last three are final, and are what the asker is told."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    BOUNCED = "bounced"
    GIVEN_UP = "given-up"


class Reason(StrEnum):
    """Why a mail ended, or waits: a closed set, kept in the log of mails."""

    TAKEN = "taken"
    REFUSED = "refused"
    TOO_OLD = "too-old"
    UNSURE = "unsure"
    DARK = "dark"
    ACCOUNT_CLOSED = "account-closed"
    NOT_WANTED = "not-wanted"
    UNFIT = "unfit"
    DEFERRED = "deferred"
    NO_CONTACT = "no-contact"


class Target(StrEnum):
    """Where a mail goes: to the account's address, or to one that its asker sealed in."""

    ACCOUNT = "account"
    SEALED = "sealed"
