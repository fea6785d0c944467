"""Refuses free text that must not be kept, and says in both languages what to remove. Nothing of the text goes anywhere."""

from collections.abc import Mapping
from typing import Any

from chassis.http.language import Text
from chassis.http.problems import FieldError, InvalidProblem

from profiles.freetext.model import Kind, found_in

_REMOVE = {
    Kind.BSN: Text(
        "Haal het burgerservicenummer (BSN) weg: dat bewaren wij nooit",
        "Remove the citizen service number (BSN): we never keep it",
    ),
    Kind.HEALTH: Text("Haal weg wat iets zegt over uw gezondheid", "Remove what says something about your health"),
    Kind.ETHNICITY: Text(
        "Haal weg wat iets zegt over uw afkomst of huidskleur", "Remove what says something about your origin or skin colour"
    ),
    Kind.RELIGION: Text(
        "Haal weg wat iets zegt over uw geloof of levensovertuiging", "Remove what says something about your religion or belief"
    ),
    Kind.POLITICS: Text(
        "Haal weg wat iets zegt over uw politieke voorkeur", "Remove what says something about your political opinions"
    ),
    Kind.UNION: Text("Haal weg dat u lid bent van een vakbond", "Remove what says that you are a member of a trade union"),
    Kind.SEXUALITY: Text(
        "Haal weg wat iets zegt over uw seksuele gerichtheid", "Remove what says something about your sexual orientation"
    ),
    Kind.CRIMINAL: Text(
        "Haal weg wat iets zegt over straffen of een strafblad",
        "Remove what says something about convictions or a criminal record",
    ),
}


def unwanted(written: Mapping[str, Any]) -> list[FieldError]:
    """Return what has to be removed from what somebody writes: an error for each field and kind of thing."""
    return [_error(one.path, one.kind) for one in found_in(written)]


def refuse_unwanted(written: Mapping[str, Any]) -> None:
    """Refuse what staff write beside their work, such as a reason, where it holds what must not be kept of anybody.

    Raises:
        InvalidProblem: It names what to remove, and repeats nothing.
    """
    if errors := unwanted(written):
        raise InvalidProblem(errors=errors)


def _error(path: str, kind: Kind) -> FieldError:
    if kind is Kind.BSN:
        return FieldError(path, "bsn", _REMOVE[kind])
    return FieldError(path, "special-category", _REMOVE[kind], category=kind)
