"""The kinds of value that may stand readable in an event log.

A field that is no number, flag, date or closed choice takes one of these, so that nobody puts a name or an address into a
`str` by habit: a test walks all fields of all events and refuses every other kind. Whatever tells who a person is travels in
`Sealed`.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from contracts.envelope import Body


@dataclass(frozen=True)
class Holds:
    """Marks a text field with the kind of value that it holds; schemas show it as `x-holds`."""

    kind: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Carry the kind into the schema, where readers of the documents and the test for personal data find it."""
        return {**handler(core), "x-holds": self.kind}


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:~-]{1,200}$"), Holds("id")]
"""An id, a public handle, a cause: made by a machine, without a meaning of its own."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+/-]{0,99}$"), Holds("code")]
"""A code from a list that may grow: a consumer ignores codes that it does not know."""

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/=-]{1,200}$"), Holds("public key")]
"""A public key in base64 (standard or URL alphabet)."""

Words = Annotated[str, StringConstraints(min_length=1, max_length=200), Holds("organisation's words")]
"""An organisation's own public words, on one line: its name, a vacancy's title, a skill that it asks for."""

Text = Annotated[str, StringConstraints(max_length=20_000), Holds("organisation's text")]
"""An organisation's own public text: plain, without markup."""

Link = Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=2_000), Holds("organisation's link")]
"""An organisation's own public address on the web."""

ApiPath = Annotated[str, StringConstraints(pattern=r"^/api/[a-z0-9/-]{1,300}$"), Holds("path")]
"""A path of our own API, made of words of ours and an id."""

Place = Annotated[str, StringConstraints(min_length=1, max_length=100), Holds("place")]
"""The name of a town or village; never an address."""

Province = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$"), Holds("province")]
"""ISO 3166-2, as `NL-UT`."""

Fact = Annotated[str, StringConstraints(pattern=r"^[^@\n]{0,300}$"), Holds("fact")]
"""A fact that a mail shows and that anybody may know: a date, an organisation's name, a path. Never something about a person."""

ErrorText = Annotated[str, StringConstraints(pattern=r"^[^@\n]{0,300}$"), Holds("error")]
"""What kind of error it was: its class and code, never the values that it was about."""

Trace = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"), Holds("trace")]
"""W3C `traceparent`."""

Language = Literal["nl", "en"]

Moment = AwareDatetime
"""An instant. Only where a day is too coarse; terms are computed from days."""


class Sealed(Body):
    """What only the receiving service may read: a libsodium sealed box for one of its public sealing keys."""

    key_id: Id
    """Which of the receiver's sealing keys opens it; once that is destroyed, the box is dark."""
    box: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=100_000), Holds("sealed box")]
    """The box in base64; the field that carries it says what lies inside."""
