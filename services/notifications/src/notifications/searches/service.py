"""Saving, changing, stopping and removing searches. The routes give the caller's subject; whose search it is not sees nothing."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.clock import Clock
from chassis.crypto import decrypt, encrypt
from chassis.destruction import schedule_destruction
from chassis.hashing import keyed_hash
from chassis.ids import new_id
from chassis.keyring import Keyring
from chassis.uow import Document, Reads, UnitOfWork
from pydantic import TypeAdapter

from notifications.searches import store
from notifications.searches.model import Criteria, Hasher, SearchState, comparable, described, with_known_place

KEY_CLASS = "searches"
PATH = "criteria"
HASHED_WORDS = "search-words"
_CRITERIA = TypeAdapter(Criteria)


class TooManySearchesError(Exception):
    """A person has as many saved searches as one may have."""


class NoSuchSearchError(Exception):
    """There is no such search, or it is somebody else's, which is answered alike."""


@dataclass(frozen=True, slots=True)
class Search:
    """A saved search as its owner sees it."""

    id: str
    sequence: int
    criteria: Criteria
    frequency: str
    state: SearchState
    since: date


@dataclass(frozen=True)
class Searches:
    """The use cases of saved searches."""

    keyring: Keyring
    clock: Clock
    hash_key: bytes
    most: int

    def hashed(self, token: str) -> str:
        """Return the keyed hash by which a word of a search is compared with the words of vacancies."""
        return keyed_hash(self.hash_key, HASHED_WORDS, token)

    async def add(self, uow: UnitOfWork, *, subject: str, criteria: Criteria, frequency: str) -> Search:
        """Save a new search.

        Raises:
            TooManySearchesError: The person has the most that one may have.
            UnknownPlaceError: There is no such place.
            AmbiguousPlaceError: Several places have this name.
        """
        criteria = with_known_place(criteria)
        store.take_turn(uow, subject)
        if len(await store.searches_of(uow, subject, after=None, limit=self.most)) >= self.most:
            raise TooManySearchesError
        document: Document = {"_id": new_id(), "sequence": 1, "subject": subject, "created_at": self.clock.machine()}
        await self._fill(document, criteria=criteria, frequency=frequency, state=SearchState.ACTIVE)
        store.add(uow, document)
        return _shown(document, criteria)

    async def get(self, reads: Reads, *, subject: str, search: str) -> Search:
        """Return one of a person's searches.

        Raises:
            NoSuchSearchError: They have no such search.
        """
        return await self._open(await _own(reads, subject, search))

    async def page(self, reads: Reads, *, subject: str, after: str | None, limit: int) -> list[Search]:
        """Return a page of a person's searches, oldest first."""
        return [await self._open(row) for row in await store.searches_of(reads, subject, after=after, limit=limit)]

    async def change(
        self, uow: UnitOfWork, *, subject: str, search: str, criteria: Criteria, frequency: str, active: bool
    ) -> Search:
        """Replace a search; only vacancies published from today on are news to it.

        Raises:
            NoSuchSearchError: They have no such search.
            UnknownPlaceError: There is no such place.
            AmbiguousPlaceError: Several places have this name.
        """
        criteria = with_known_place(criteria)
        document = await _own(uow, subject, search)
        state = SearchState.ACTIVE if active else SearchState.STOPPED
        await self._fill(document, criteria=criteria, frequency=frequency, state=state)
        store.save(uow, document)
        return _shown(document, criteria)

    async def remove(self, uow: UnitOfWork, *, subject: str, search: str) -> None:
        """Remove a search.

        Raises:
            NoSuchSearchError: They have no such search.
        """
        store.remove(uow, (await _own(uow, subject, search))["_id"])

    async def in_words(self, reads: Reads, search: str) -> str | None:
        """Return a search in its owner's words, for a mail to them; None when it has none, or is gone."""
        document = await store.search(reads, search)
        return None if document is None else described((await self._open(document)).criteria)

    async def _fill(self, document: Document, *, criteria: Criteria, frequency: str, state: SearchState) -> None:
        key = await self.keyring.key(document["subject"], KEY_CLASS)
        box = encrypt(key, criteria.model_dump_json().encode(), subject=document["subject"], path=_path(document))
        hashed: Hasher = self.hashed
        document |= {
            "state": state,
            "frequency": frequency,
            "since": self.clock.today().isoformat(),
            "shown": box,
            "compared": comparable(criteria, hashed=hashed),
        }

    async def _open(self, document: Document) -> Search:
        key = await self.keyring.existing(document["subject"], KEY_CLASS)
        text = decrypt(key, document["shown"], subject=document["subject"], path=_path(document))
        return _shown(document, _CRITERIA.validate_json(text))


async def stop(uow: UnitOfWork, search: str) -> None:
    """End a search's mails, whoever asks; one that is stopped or gone stays so."""
    document = await store.search(uow, search)
    if document is not None and document["state"] != SearchState.STOPPED:
        document["state"] = SearchState.STOPPED
        store.save(uow, document)


async def compared(reads: Reads, search: str) -> dict[str, Any] | None:
    """Return what of a search is compared with vacancies; None when no mails for it are wanted any more."""
    document = await store.search(reads, search)
    return document["compared"] if document is not None and document["state"] == SearchState.ACTIVE else None


async def to_compare(reads: Reads, *, frequency: str, published_on: date) -> list[Document]:
    """Return every search (`_id`, `subject`, `compared`) to which a vacancy published on that day is news."""
    return await store.active(reads, frequency=frequency, since_at_most=published_on.isoformat())


async def forget(uow: UnitOfWork, subject: str) -> int:
    """Remove all searches of a person, let their key be destroyed, and return how many there were."""
    schedule_destruction(uow, subject, KEY_CLASS)
    return await store.remove_all(uow, subject)


async def _own(reads: Reads, subject: str, search: str) -> Document:
    document = await store.search(reads, search)
    if document is None or document["subject"] != subject:
        raise NoSuchSearchError
    return document


def _path(document: Document) -> str:
    return f"{PATH}:{document['_id']}"


def _shown(document: dict[str, Any], criteria: Criteria) -> Search:
    return Search(
        id=document["_id"],
        sequence=document["sequence"],
        criteria=criteria,
        frequency=document["frequency"],
        state=SearchState(document["state"]),
        since=date.fromisoformat(document["since"]),
    )
