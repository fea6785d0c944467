"""Saving, changing, stopping and removing searches. The routes give the caller's subject; whose search it is not sees nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import structlog
from chassis.clock import Clock
from chassis.crypto import UnreadableError, decrypt, encrypt
from chassis.destruction import schedule_destruction
from chassis.hashing import keyed_number
from chassis.http.problems import InvalidProblem
from chassis.ids import new_id
from chassis.keyring import Keyring, NoKeyError
from chassis.mongo import Mongo, transact
from chassis.uow import Document, Reads, UnitOfWork
from chassis.wrapped import UnusableKeyError
from pydantic import TypeAdapter

from notifications.criteria import Criteria, Phrase, broken_rules, with_known_place
from notifications.matching.model import Wanted
from notifications.searches import store
from notifications.searches.model import Rhythm, SearchState, bucket_of, comparable, wanted
from notifications.words import number_of

log = structlog.get_logger()
KEY_CLASS = "searches"
COLLECTION = store.SEARCHES
PATH = "criteria"
HASHED_WORDS = "search-words"
AT_A_TIME = 500
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
    rhythm: Rhythm
    state: SearchState
    since: date


@dataclass(frozen=True)
class Searches:
    """The use cases of saved searches."""

    keyring: Keyring
    clock: Clock
    hash_key: bytes
    most: int

    def hashed(self, stem: str) -> int:
        """Return the keyed hash by which a word of a search is compared with the words of vacancies."""
        return keyed_number(self.hash_key, HASHED_WORDS, stem)

    async def add(self, uow: UnitOfWork, *, subject: str, criteria: Criteria, rhythm: Rhythm) -> Search:
        """Save a new search.

        Raises:
            TooManySearchesError: The person has the most that one may have.
            InvalidProblem: The criteria break a rule.
        """
        criteria = checked(criteria)
        store.take_turn(uow, subject)
        if len(await store.searches_of(uow, subject, after=None, limit=self.most)) >= self.most:
            raise TooManySearchesError
        document: Document = {"_id": new_id(), "sequence": 1, "subject": subject, "created_at": self.clock.machine()}
        document["bucket"] = bucket_of(document["_id"])
        await self._fill(document, criteria=criteria, rhythm=rhythm, state=SearchState.ACTIVE)
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
        self, uow: UnitOfWork, *, subject: str, search: str, criteria: Criteria, rhythm: Rhythm, active: bool
    ) -> Search:
        """Replace a search; only vacancies published from today on are news to it.

        Raises:
            NoSuchSearchError: They have no such search.
            InvalidProblem: The criteria break a rule.
        """
        criteria = checked(criteria)
        document = await _own(uow, subject, search)
        state = SearchState.ACTIVE if active else SearchState.STOPPED
        await self._fill(document, criteria=criteria, rhythm=rhythm, state=state)
        store.save(uow, document)
        return _shown(document, criteria)

    async def remove(self, uow: UnitOfWork, *, subject: str, search: str) -> None:
        """Remove a search.

        Raises:
            NoSuchSearchError: They have no such search.
        """
        store.remove(uow, (await _own(uow, subject, search))["_id"])

    async def asked(self, reads: Reads, search: str) -> Criteria | None:
        """Return what a search asks for, for a mail to its owner; None when no mails for it are wanted any more."""
        document = await store.search(reads, search)
        if document is None or document["state"] != SearchState.ACTIVE:
            return None
        return (await self._open(document)).criteria

    async def compare_anew(self, mongo: Mongo) -> int:
        """Compare anew what was saved under an earlier form, so many at a time; nothing becomes news by it."""
        found = await store.of_earlier_form(mongo, limit=AT_A_TIME)
        return sum([await transact(mongo, partial(self._compare_anew, row["_id"])) for row in found])

    async def _compare_anew(self, search: str, uow: UnitOfWork) -> int:
        document = await store.search(uow, search)
        if document is None:
            return 0
        try:
            criteria = (await self._open(document)).criteria
        except (NoKeyError, UnreadableError, UnusableKeyError) as error:
            log.error("search_unreadable", search=search, error=type(error).__name__)
            return 0
        document |= {"compared": comparable(criteria, number=self._number), "bucket": bucket_of(search)}
        store.save(uow, document)
        return 1

    async def _fill(self, document: Document, *, criteria: Criteria, rhythm: Rhythm, state: SearchState) -> None:
        key = await self.keyring.key(document["subject"], KEY_CLASS)
        box = encrypt(key, criteria.model_dump_json().encode(), subject=document["subject"], path=_path(document))
        document |= {
            "state": state,
            "frequency": rhythm.frequency,
            "hour": rhythm.hour,
            "weekday": rhythm.weekday,
            "since": self.clock.today().isoformat(),
            "shown": box,
            "compared": comparable(criteria, number=self._number),
        }

    def _number(self, phrase: Phrase) -> int:
        return number_of(phrase, self.hashed)

    async def _open(self, document: Document) -> Search:
        key = await self.keyring.existing(document["subject"], KEY_CLASS)
        text = decrypt(key, document["shown"], subject=document["subject"], path=_path(document))
        return _shown(document, _CRITERIA.validate_json(text))


def checked(criteria: Criteria) -> Criteria:
    """Return the criteria with the full name of their place.

    Raises:
        InvalidProblem: They break a rule; each is named.
    """
    if broken := broken_rules(criteria):
        raise InvalidProblem(errors=broken)
    return with_known_place(criteria)


async def stop(uow: UnitOfWork, search: str) -> None:
    """End a search's mails, whoever asks; one that is stopped or gone stays so."""
    document = await store.search(uow, search)
    if document is not None and document["state"] != SearchState.STOPPED:
        document["state"] = SearchState.STOPPED
        store.save(uow, document)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a search; `wanted` is None when it is not to be matched any more."""

    id: str
    wanted: Wanted | None


def heard(change: Mapping[str, Any]) -> Heard:
    """Return what a change of the collection says of a search."""
    document = change.get("fullDocument")
    return Heard(change["documentKey"]["_id"], None) if document is None else _heard(document)


async def in_buckets(reads: Reads, buckets: Sequence[int]) -> list[Heard]:
    """Return the searches of these buckets that are to be matched."""
    return [_heard(row) for row in await store.in_buckets(reads, buckets)]


async def wanting(reads: Reads, ids: Sequence[str], *, compared: bool) -> list[Document]:
    """Return those of these searches for which mails are wanted now, with what they ask only when that has to be compared."""
    return await store.among(reads, ids, compared=compared)


def _heard(document: Mapping[str, Any]) -> Heard:
    active = document["state"] == SearchState.ACTIVE
    return Heard(document["_id"], wanted(document["compared"]) if active else None)


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
        rhythm=Rhythm.of(document),
        state=SearchState(document["state"]),
        since=date.fromisoformat(document["since"]),
    )
