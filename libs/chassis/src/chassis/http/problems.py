"""Every error is a problem document (RFC 9457) that names field and rule, and never repeats what was sent.

A slice declares its refusals beside what raises them, as subclasses of `Problem` with a stable code:

    class NotActiveProblem(Problem):
        status, code, title = 409, "not-active", Text("Het profiel is niet actief", "The profile is not active")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.http.language import Language, Text

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:kandidatenbank:problem:"


@dataclass(frozen=True)
class FieldError:
    """One field that breaks one rule. `detail` explains the rule and quotes nothing."""

    field: str
    rule: str
    detail: str | Text | None = None
    """In both languages where a person reads it."""
    category: str | None = None
    """Which of the kinds that the rule knows, where it knows several."""

    def document(self, language: Language) -> dict[str, str]:
        """Return it as it stands in the problem document."""
        detail = self.detail.to(language) if isinstance(self.detail, Text) else self.detail
        found = {"field": self.field, "rule": self.rule, "category": self.category, "detail": detail}
        return {key: value for key, value in found.items() if value is not None}


class Problem(Exception):  # noqa: N818 - it is RFC 9457's own word, and an expected refusal is no error of ours
    """An expected refusal. Class attributes give the defaults; arguments replace them. `more` are extension members."""

    loggable = True
    status: int = 400
    code: str = "bad-request"
    title: Text = Text("Het verzoek klopt niet", "The request is not right")

    def __init__(
        self,
        detail: str | None = None,
        *,
        status: int | None = None,
        code: str | None = None,
        title: Text | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.detail = detail
        self.status = status or type(self).status
        self.code = code or type(self).code
        self.title = title or type(self).title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(self.code)


class BadRequestProblem(Problem):
    """The request cannot be read at all."""


class UnauthorizedProblem(Problem):
    """No token, or one that is not accepted: one answer for every reason."""

    status, code, title = 401, "unauthorized", Text("Meld u eerst aan", "Sign in first")


class ForbiddenProblem(Problem):
    """Signed in, but not allowed: one answer for every reason."""

    status, code, title = 403, "forbidden", Text("Dit is u niet toegestaan", "You are not allowed to do this")


class NotFoundProblem(Problem):
    """There is no such thing, or not for this caller."""

    status, code, title = 404, "not-found", Text("Niet gevonden", "Not found")


class ConflictProblem(Problem):
    """The state of the thing does not allow it now."""

    status, code, title = 409, "conflict", Text("Dit kan nu niet", "This is not possible now")


class InvalidProblem(Problem):
    """Readable, but a field breaks a rule."""

    status, code, title = 422, "invalid", Text("Niet alle gegevens kloppen", "Some details are not right")


class BusyProblem(Problem):
    """Something that we need does not answer; the same request may succeed in a moment."""

    status, code, title = 503, "unavailable", Text("Probeer het zo meteen opnieuw", "Try again in a moment")

    def __init__(self, detail: str | None = None, *, retry_after: int = 2, **rest: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, **rest)


class UnexpectedProblem(Problem):
    """A mistake of ours."""

    status, code, title = 500, "unexpected", Text("Er ging bij ons iets mis", "Something went wrong on our side")


def invalid(field: str, rule: str, detail: str | None = None) -> InvalidProblem:
    """Return the refusal of one field, for rules that only a use case can check."""
    return InvalidProblem(errors=[FieldError(field, rule, detail)])
