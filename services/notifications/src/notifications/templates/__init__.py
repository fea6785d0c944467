"""The mails that exist: what each one says, how it is sent, and what its asker must hand over. The words lie in `mails/`.

A mail is one file per language. It is read twice, with the parts in `text/` and with those in `html/`, so that the two can not
drift apart. Everything that a mail shows besides `facts` and what was sealed in is listed here too.
"""

from dataclasses import dataclass
from typing import Literal

MUST_ARRIVE: Literal["must-arrive"] = "must-arrive"
AT_MOST_ONCE: Literal["at-most-once"] = "at-most-once"

ALWAYS = ("language", "portal_url", "greeting")
"""What every mail is given by notifications itself: `nl` or `en`, the gateway's address, the sealed name or None."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """One mail. `facts` come readable in the mail request, `secret` sealed; `page` and the secret make the mail's `link`."""

    says: str
    mail_class: Literal["must-arrive", "at-most-once"]
    facts: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()
    """Those of the facts that are ISO dates; the mail writes them out in its language."""
    page: str | None = None
    """The path that the sealed secret is put behind; None when the mail has no secret."""
    own: frozenset[str] = frozenset()
    """What notifications adds from what it keeps itself; such a mail cannot be asked for by an event."""
    after_closing: bool = False
    """Goes also when the account was closed in order to erase its person: it tells of that."""

    @property
    def variables(self) -> frozenset[str]:
        """The names that the words may use; a fact's hyphens are underscores there."""
        facts = {fact.replace("-", "_") for fact in self.facts}
        return frozenset({*ALWAYS, *facts, *self.own, *(("link",) if self.page else ())})


TEMPLATES: dict[str, Template] = {
    "confirm-address": Template(
        says="Confirm your address with this link; without it nothing is made.",
        mail_class=MUST_ARRIVE,
        page="/api/identity/v1/pages/confirm/",
        facts=frozenset({"valid-until"}),
        days=frozenset({"valid-until"}),
    ),
    "address-known": Template(
        says="Somebody registered your address, which already has an account; you need to do nothing.",
        mail_class=MUST_ARRIVE,
    ),
    "invitation": Template(
        says="An organisation invites you to work for it in the portal; accept with this link.",
        mail_class=MUST_ARRIVE,
        page="/api/identity/v1/pages/invitation/",
        facts=frozenset({"organisation", "valid-until"}),
        days=frozenset({"valid-until"}),
    ),
    "session-stolen": Template(
        says="A session was used from two places and has been ended; sign in again and change your password.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"ended-on"}),
        days=frozenset({"ended-on"}),
    ),
    "renewal-asked": Template(
        says="Your profile's year is over: bring it up to date and renew with this link, within so many days.",
        mail_class=MUST_ARRIVE,
        page="/api/profiles/v1/pages/renew/",
        facts=frozenset({"visible-until", "period-days"}),
        days=frozenset({"visible-until"}),
    ),
    "renewal-reminder": Template(
        says="You have not answered yet: renew before this day, or your profile leaves the bank.",
        mail_class=MUST_ARRIVE,
        page="/api/profiles/v1/pages/renew/",
        facts=frozenset({"answer-before"}),
        days=frozenset({"answer-before"}),
    ),
    "profile-renewed": Template(
        says="Your profile stays in the bank for another year.",
        mail_class=AT_MOST_ONCE,
        facts=frozenset({"visible-until"}),
        days=frozenset({"visible-until"}),
    ),
    "profile-expired": Template(
        says="Your profile is no longer in the bank, because the question was not answered; how to bring it back.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"inactive-since"}),
        days=frozenset({"inactive-since"}),
    ),
    "erasure-begun": Template(
        says="Your account is closed and your details are being erased; follow it with this link, without an account.",
        mail_class=MUST_ARRIVE,
        page="/api/consent/v1/pages/requests/",
        facts=frozenset({"answer-before"}),
        days=frozenset({"answer-before"}),
        after_closing=True,
    ),
    "erased": Template(
        says="Your details were erased: what the law makes us keep, until when, and when old copies cannot be read any more.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"dark-on", "kept-until"}),
        days=frozenset({"dark-on", "kept-until"}),
        after_closing=True,
    ),
    "bank-frozen": Template(
        says="A recruiter or an organisation went over its budget of views and is frozen: what was counted, and who can lift it.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"scope", "who", "organisation", "since", "opened", "rows", "budget"}),
        days=frozenset({"since"}),
    ),
    "bank-abuse": Template(
        says="Your details were looked at in an abuse of the bank: for whom, when, what kind, what was done, what you can do.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"organisation", "seen-on", "seen-as", "groups"}),
        days=frozenset({"seen-on"}),
    ),
    "forgets-late": Template(
        says="Your systems did not say in time that they forgot people who left the bank: what has to be done.",
        mail_class=MUST_ARRIVE,
        facts=frozenset({"organisation", "asked-on"}),
        days=frozenset({"asked-on"}),
    ),
    "job-alert": Template(
        says="New vacancies that fit a saved search, with a way to stop these mails.",
        mail_class=AT_MOST_ONCE,
        own=frozenset({"search", "vacancies", "more", "unsubscribe"}),
    ),
}
"""By the name that a mail request gives. `job-alert` is given `search` (the search's words or None), `unsubscribe` (a link) and
`vacancies`: at least one, each with `title`, `organisation`, and `place`, `hours`, `url` or None, and `why` it fits (texts);
`more` is how many others there are."""

AFTER_CLOSING = frozenset(name for name, template in TEMPLATES.items() if template.after_closing)
"""The mails that still go to somebody who is being erased."""
