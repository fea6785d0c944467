"""ETags from the aggregate's `sequence`, and `If-Match` on every update, so that nobody overwrites what they did not see."""

import re
from dataclasses import dataclass
from typing import Annotated

from litestar.params import HeaderParameter

from chassis.http.language import Text
from chassis.http.problems import Problem

_STRONG = re.compile(r'"([0-9]{1,18})"')


class IfMatchRequiredProblem(Problem):
    """An update without `If-Match`."""

    status, code = 428, "if-match-required"
    title = Text("Zeg welke versie u wijzigt (If-Match)", "Say which version you change (If-Match)")


class StaleProblem(Problem):
    """The thing changed since it was read."""

    status, code = 412, "stale"
    title = Text("Dit is intussen gewijzigd; haal het opnieuw op", "This has changed meanwhile; get it again")


def etag(sequence: int) -> str:
    """Return the strong ETag of an aggregate's state."""
    return f'"{sequence}"'


@dataclass(frozen=True)
class IfMatch:
    """The versions that the caller will change; a route takes it as the dependency `if_match`."""

    sequences: frozenset[int]

    def check(self, sequence: int) -> None:
        """Raise `StaleProblem` unless the aggregate, read in the same transaction, is at one of them."""
        if sequence not in self.sequences:
            raise StaleProblem(headers={"ETag": etag(sequence)})


async def provide_if_match(
    sent: Annotated[str, HeaderParameter(name="If-Match", description="The ETag of the state that is changed; required.")] = "",
) -> IfMatch:
    """Read `If-Match`. Neither `*` nor a weak tag says what was seen, so both match nothing."""
    if not sent:
        raise IfMatchRequiredProblem
    tags = [tag.strip() for tag in sent[:500].split(",")]
    return IfMatch(frozenset(int(found[1]) for tag in tags if (found := _STRONG.fullmatch(tag))))
