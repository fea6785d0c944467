"""A labour market to match on: a million saved searches and a thousand vacancies, the same for each seed.

What is drawn, and how often (shares of all searches unless said otherwise):

- **Occupations**: 800, the r-th as often as r^-0.8. Each has 12 words and 8 skills of its own and a sector; sectors are as
  unequal. A search's words are an occupation's, the r-th as often as r^-1; one search of twenty has a general word too.
- **Searches**: a quarter ask a place with a radius and nothing else, two thirds ask a place with a radius in all, 5 % a province.
  Of what is asked besides: 65 % words, all of one (55 %) to four; 10 % one of several words; 8 % skills; 7 % exclude words (5 %
  of all searches); 25 % hours; 20 % levels, contract types or sectors, each; 10 % workplace or pay, each; 2 % a start; 1 %
  say which organisations, or which not.
- **Places**: those of `places.json`. It has no sizes: the 24 largest have their inhabitants (in thousands, rounded), the others 7
  each. Radii: 5 to 100 km, most 10 to 30.
- **Vacancies**: an occupation's words (6 of 10) and 100 draws of 20,000 general words (r^-1), with four phrases for each, which
  no search asks; 8 % remote, 25 % hybrid, 3 % without a place, 5 % with two; 90 % say hours, 95 % contract and sector, 60 % a
  level, 40 % pay, 20 % a start. Organisations: 2,000 (r^-1).
"""

import json
import math
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from notifications.matching.model import Offered, Position, Range, Wanted
from numpy.typing import NDArray

SEED = 2027
CHUNK = 10_000
OCCUPATIONS, WORDS_EACH, SKILLS_EACH, GENERAL, ORGANISATIONS = 800, 12, 8, 20_000, 2_000
SECTORS = tuple(f"sector-{number}" for number in range(21))
CONTRACTS = ("permanent", "temporary", "agency", "freelance", "internship")
WORKPLACES = ("on-site", "hybrid", "remote")
HOURS: Sequence[Range] = ((32, 40), (24, 32), (36, 40), (16, 24), (24, 40), (8, 16), (0, 24), (32, 80), (20, 28), (0, 12))
RADII = {5: 5, 10: 20, 15: 15, 20: 15, 25: 20, 30: 10, 40: 5, 50: 7, 75: 2, 100: 1}
LARGEST = {
    "Amsterdam": 921, "Rotterdam": 664, "Den Haag": 562, "Utrecht": 368, "Eindhoven": 243, "Groningen": 238, "Tilburg": 227,
    "Almere": 222, "Breda": 186, "Nijmegen": 182, "Apeldoorn": 167, "Arnhem": 166, "Haarlem": 165, "Enschede": 161, "Ede": 80,
    "Amersfoort": 160, "'s-Hertogenbosch": 159, "Zwolle": 132, "Leiden": 127, "Leeuwarden": 127, "Zoetermeer": 126,
    "Dordrecht": 122, "Maastricht": 121, "Zaandam": 78,
}  # fmt: skip
OTHER = 7
"""Thousand inhabitants."""
FIRST_DAY = 739_000
EXCLUDING = {"no_words", "not_organisations"}
"""No search asks these alone."""

Draws = NDArray[Any]


class Market:
    """Searches and vacancies, in an order that the seed decides."""

    def __init__(self, seed: int = SEED) -> None:
        self._seed, self._chance = seed, np.random.default_rng(seed)
        known = json.loads((files("chassis") / "places.json").read_text("utf-8"))["places"]
        self._positions: list[Position] = [(place[2], place[3]) for place in known]
        self._provinces: list[str] = [place[1] for place in known]
        sizes = np.array([LARGEST.get(place[0], OTHER) for place in known], float)
        self._sizes = sizes / sizes.sum()
        self._words: list[list[int]] = self._numbers((OCCUPATIONS, WORDS_EACH)).tolist()
        self._skills: list[list[int]] = self._numbers((OCCUPATIONS, SKILLS_EACH)).tolist()
        self._general: list[int] = self._numbers(GENERAL).tolist()
        self._sector_of = self._ranked(len(SECTORS), 1, OCCUPATIONS)

    def searches(self, count: int) -> Iterator[tuple[bytes, Wanted]]:
        """Yield so many searches, from the first on."""
        self._chance = np.random.default_rng((self._seed, 1))
        for begin in range(0, count, CHUNK):
            size = min(CHUNK, count - begin)
            ids, place = self._chance.bytes(16 * size), self._ranked_places(size)
            radius = self._chance.choice(list(RADII), size, p=np.array(list(RADII.values())) / 100)
            occupation, dice = self._ranked(OCCUPATIONS, 0.8, size), self._chance.random((size, 14))
            words = self._ranked(WORDS_EACH, 1, (size, 4))
            for row in range(size):
                asks = self._asks(int(occupation[row]), words[row].tolist(), dice[row].tolist())
                yield ids[16 * row : 16 * row + 16], self._search(asks, int(place[row]), int(radius[row]), dice[row].tolist())

    def vacancies(self, count: int) -> list[Offered]:
        """Return so many vacancies, from the first on."""
        self._chance = np.random.default_rng((self._seed, 2))
        return [self._vacancy(int(occupation)) for occupation in self._ranked(OCCUPATIONS, 0.8, count)]

    def _search(self, asks: dict[str, Any], place: int, radius: int, dice: list[float]) -> Wanted:
        """Return a search at a place (two thirds), in a province (5 %) or anywhere; a quarter ask nothing else."""
        near: dict[str, Any] = {"near": self._positions[place], "radius_km": radius}
        if dice[0] < 0.25:
            return Wanted(**near)
        if dice[0] < 0.25 + 0.41:
            return Wanted(**near, **asks)
        if dice[0] < 0.25 + 0.41 + 0.05 or asks.keys() <= EXCLUDING:
            return Wanted(provinces=frozenset({self._provinces[place]}), **asks)
        return Wanted(**asks)

    def _asks(  # noqa: C901 - a list of shares, one after the other, reads best whole
        self, occupation: int, words: list[int], dice: list[float]
    ) -> dict[str, Any]:
        """Return what a search asks besides a place."""
        own, skills, die = self._words[occupation], self._skills[occupation], int(dice[13] * 1000)
        asks: dict[str, Any] = {}
        if dice[1] < 0.65:
            many = 1 + (dice[2] > 0.55) + (dice[2] > 0.85) + (dice[2] > 0.97)
            common = {self._general[die]} if dice[3] < 0.05 else set()
            asks["all_words"] = frozenset({own[word] for word in words[:many]} | common)
        elif dice[1] < 0.75:
            asks["any_words"] = frozenset(own[word] for word in words)
        if dice[4] < 0.08:
            asks["skills"] = frozenset(skills[word % SKILLS_EACH] for word in words[:2])
        if dice[4] > 0.93:
            asks["no_words"] = frozenset({self._general[die], self._words[die % OCCUPATIONS][0]})
        if dice[5] < 0.25:
            asks["hours"] = HOURS[int(len(HOURS) * dice[2] ** 2)]
        if dice[6] < 0.2:
            asks["levels"] = frozenset({2 + die % 6, 2 + (die + words[0]) % 6})
        if dice[7] < 0.2:
            asks["contract_types"] = frozenset({CONTRACTS[0], CONTRACTS[words[0] % len(CONTRACTS)]})
        if dice[8] < 0.2:
            asks["sectors"] = frozenset({SECTORS[self._sector_of[occupation]], SECTORS[words[1] % len(SECTORS)]})
        if dice[9] < 0.1:
            asks["workplaces"] = frozenset(WORKPLACES[die % 2 : die % 2 + 2])
        if dice[10] < 0.1:
            asks["salary"] = (2000 + 250 * (die % 17), math.inf)
        if dice[11] < 0.02:
            asks["starts"] = (-math.inf, FIRST_DAY + die)
        if dice[12] < 0.01:
            name = "organisations" if dice[12] < 0.005 else "not_organisations"
            asks[name] = frozenset({f"organisation-{die}"})
        return asks

    def _vacancy(self, occupation: int) -> Offered:
        says, chance = self._chance.random(12).tolist(), self._chance
        general = [self._general[word] for word in self._ranked(GENERAL, 1, 100)]
        own = [word for word, die in zip(self._words[occupation], chance.random(WORDS_EACH), strict=True) if die < 0.6]
        phrases: list[int] = self._numbers(4 * (len(general) + len(own))).tolist()
        where = [] if says[0] < 0.03 else self._ranked_places(2 if says[0] < 0.08 else 1).tolist()
        hours, pay = HOURS[int(len(HOURS) * says[3] ** 2)], 2000 + 250 * int(17 * says[5])
        sectors = {self._sector_of[occupation], int(len(SECTORS) * says[8])} if says[8] < 0.2 else {self._sector_of[occupation]}
        return Offered(
            words=frozenset([*general, *own, *phrases]),
            skills=frozenset(chance.choice(self._skills[occupation], 4).tolist()),
            positions=tuple(self._positions[place] for place in where),
            provinces=frozenset(self._provinces[place] for place in where),
            workplace="remote" if says[1] < 0.08 else "hybrid" if says[1] < 0.33 else "on-site",
            hours=hours if says[2] < 0.9 else None,
            salary=(pay, pay + 750) if says[4] < 0.4 else None,
            eqf=2 + int(6 * says[7]) if says[6] < 0.6 else None,
            contract_types=frozenset({CONTRACTS[int(len(CONTRACTS) * says[9] ** 2)]}) if says[9] < 0.95 else frozenset(),
            sectors=frozenset(SECTORS[sector] for sector in sectors) if says[8] < 0.95 else frozenset(),
            organisation=f"organisation-{self._ranked(ORGANISATIONS, 1, 1)[0]}",
            starts=FIRST_DAY + int(1000 * says[11]) if says[10] < 0.2 else None,
        )

    def _numbers(self, shape: Any) -> Draws:
        drawn: Draws = self._chance.integers(-(1 << 63), 1 << 63, shape)
        return drawn

    def _ranked(self, count: int, power: float, shape: Any) -> Draws:
        """Draw ranks from 0, each as often as a power of it."""
        shares = np.arange(1, count + 1) ** -float(power)
        drawn: Draws = self._chance.choice(count, shape, p=shares / shares.sum())
        return drawn

    def _ranked_places(self, count: int) -> Draws:
        drawn: Draws = self._chance.choice(len(self._sizes), count, p=self._sizes)
        return drawn
