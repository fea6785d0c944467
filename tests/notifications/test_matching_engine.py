"""The engine finds exactly the searches that the definition finds, whatever is put, changed, removed and merged before.

The definition stays here as one line: `{id for id, wanted in … if matches(wanted, offered)}`. Vocabularies are so small that
random searches and vacancies do meet.
"""

import math
from threading import Thread

import pytest
from chassis.places import distance_km
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from notifications.matching.index import engine as engines
from notifications.matching.index.engine import Engine
from notifications.matching.model import ANY, Offered, Wanted, matches

UTRECHT, BREUKELEN, ZWOLLE, AMERSFOORT = (52.0908, 5.1222), (52.1742, 5.0014), (52.5125, 6.0944), (52.155, 5.3875)
PLACES = (UTRECHT, BREUKELEN, ZWOLLE, AMERSFOORT)
RADII = sorted({0.0, 20_100.0, *(distance_km(a, b) for a in PLACES for b in PLACES)})
"""Every distance between two of the places, so that many a vacancy lies exactly on a circle."""
CODES = ("a", "b", "c")
WORKPLACES = ("on-site", "hybrid", "remote")
EDGES = (*(math.nextafter(radius, math.inf) for radius in RADII), *(math.nextafter(radius, 0) for radius in RADII))

words = st.integers(-3, 5)
some_words = st.frozensets(words, max_size=3)
codes = st.frozensets(st.sampled_from(CODES), max_size=2)
ends = st.integers(0, 4)
ranges = st.one_of(
    st.tuples(ends, ends).map(sorted).map(tuple),
    ends.map(lambda low: (low, math.inf)),
    ends.map(lambda high: (-math.inf, high)),
    st.just(ANY),
)
asked = {
    "all_words": some_words,
    "any_words": some_words,
    "no_words": some_words,
    "skills": some_words,
    "near": st.sampled_from(PLACES),
    "radius_km": st.sampled_from((*RADII, *EDGES)),
    "provinces": codes,
    "hours": ranges,
    "salary": ranges,
    "levels": st.frozensets(st.integers(1, 4), max_size=2),
    "contract_types": codes,
    "workplaces": st.frozensets(st.sampled_from(WORKPLACES), max_size=2),
    "sectors": codes,
    "organisations": codes,
    "not_organisations": codes,
    "starts": ranges,
}
searches = st.fixed_dictionaries({}, optional=asked).map(lambda chosen: Wanted(**chosen))
few_conditions = st.sets(st.sampled_from(sorted(asked)), max_size=3).flatmap(
    lambda names: st.builds(Wanted, **{name: asked[name] for name in names | ({"radius_km"} if "near" in names else set())})
)
vacancies = st.builds(
    Offered,
    words=st.frozensets(words, max_size=7),
    skills=some_words,
    positions=st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
    provinces=codes,
    workplace=st.sampled_from(WORKPLACES),
    hours=st.none() | ranges,
    salary=st.none() | ranges,
    eqf=st.none() | st.integers(1, 4),
    contract_types=codes,
    sectors=codes,
    organisation=st.sampled_from(CODES),
    starts=st.none() | ends,
)
ids = st.integers(0, 30).map(lambda number: bytes([number % 4]) + bytes(14) + bytes([number % 8]))
"""Several share their second half, by which ids are found, and some end in zeros."""


def found(engine: Engine, offered: Offered) -> set[bytes]:
    rows = [id_.tobytes() for id_ in engine.match(offered)]
    assert len(rows) == len(set(rows)), "each once"
    return set(rows)


def by_definition(saved: dict[bytes, Wanted], offered: Offered) -> set[bytes]:
    return {id_ for id_, wanted in saved.items() if matches(wanted, offered)}


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(ids, searches | few_conditions, max_size=40), st.lists(vacancies, min_size=1, max_size=5))
def test_what_is_loaded_matches_by_definition(saved, offers):
    engine = Engine()
    engine.load(saved.items())
    for offered in offers:
        assert found(engine, offered) == by_definition(saved, offered)


@settings(max_examples=100, deadline=None)
@given(st.lists(few_conditions, min_size=50, max_size=50), vacancies)
def test_many_searches_with_few_conditions_match_by_definition(wanted, offered):
    saved = {number.to_bytes(16, "big"): one for number, one in enumerate(wanted)}
    engine = Engine()
    engine.load(saved.items())
    assert found(engine, offered) == by_definition(saved, offered)


class Living(RuleBasedStateMachine):
    """Searches that come, change, go and come back, with merges of either kind in between."""

    def __init__(self):
        super().__init__()
        self.engine, self.saved = Engine(), dict[bytes, Wanted]()

    @rule(id_=ids, wanted=searches | few_conditions)
    def put(self, id_, wanted):
        self.engine.put(id_, wanted)
        self.saved[id_] = wanted

    @rule(id_=ids)
    def remove(self, id_):
        self.engine.remove(id_)
        self.saved.pop(id_, None)

    @rule(whole=st.booleans())
    def merge(self, whole):
        self.engine.merge(whole=whole)
        assert self.engine.recent == 0

    @rule(before=ids, loaded=st.dictionaries(ids, few_conditions, max_size=8), put=few_conditions, removed=ids)
    def load_while_searches_change(self, before, loaded, put, removed):
        recent = self.engine._state[1]
        loaded = {id_: one for id_, one in loaded.items() if id_ in recent or id_ not in self.saved}
        with self.engine.loading() as loading:
            loading.add(list(loaded.items()))
            self.saved |= loaded
            self.put(before, put)
            self.remove(removed)

    @rule(offered=vacancies)
    def match(self, offered):
        assert found(self.engine, offered) == by_definition(self.saved, offered)

    @invariant()
    def counts(self):
        assert len(self.engine) == len(self.saved)


TestLiving = pytest.mark.timeout(600)(Living.TestCase)
TestLiving.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)


def test_what_is_loaded_is_newer_than_what_was_put_before_and_matches_once():
    engine, id_ = Engine(), b"\x17" * 16
    engine.put(id_, Wanted(all_words=frozenset({1})))
    engine.load([(id_, Wanted(all_words=frozenset({2})))])
    assert found(engine, Offered(words=frozenset({1}))) == set()
    assert found(engine, Offered(words=frozenset({1, 2}))) == {id_}
    engine.remove(id_)
    assert found(engine, Offered(words=frozenset({1, 2}))) == set()


def test_what_changes_while_a_merge_runs_is_as_it_was_last_put(monkeypatch):
    engine, first, second = Engine(), Wanted(all_words=frozenset({1})), Wanted(all_words=frozenset({2}))
    kept, changed, removed, again, new = (bytes([number]) * 16 for number in range(1, 6))
    for id_ in (kept, changed, removed, again):
        engine.put(id_, first)

    def meanwhile(*args):
        engine.put(changed, second)
        engine.put(new, second)
        engine.remove(removed)
        engine.remove(again)
        engine.put(again, first)
        assert found(engine, Offered(words=frozenset({1}))) == {kept, again}
        return real(*args)

    real = engines.Base
    monkeypatch.setattr(engines, "Base", meanwhile)
    merging = Thread(target=engine.merge)
    merging.start()
    merging.join()
    assert found(engine, Offered(words=frozenset({1}))) == {kept, again}
    assert found(engine, Offered(words=frozenset({2}))) == {changed, new}
    assert len(engine) == 4


def test_a_whole_merge_leaves_nothing_of_what_was_removed():
    engine, word, id_ = Engine(), 0x5EED5EED5EED5EED, b"\x17" * 16
    engine.load((bytes([number]) * 16, Wanted(all_words=frozenset({number}))) for number in range(100, 200))
    engine.put(id_, Wanted(all_words=frozenset({word, 100}), near=(1.5, 2.5), radius_km=3.5))
    engine.merge(whole=True)
    assert traces(engine, word, id_)
    engine.remove(id_)
    engine.merge(whole=True)
    assert not traces(engine, word, id_)


def test_an_engine_says_when_something_of_a_removed_search_is_left():
    engine, id_ = Engine(), b"\x17" * 16
    engine.load([(id_, Wanted()), (bytes([1]) * 16, Wanted())])
    assert not engine.stale
    engine.put(id_, Wanted(hours=(1, 2)))
    assert engine.stale
    engine.merge(whole=True)
    engine.remove(id_)
    assert engine.stale
    engine.merge(whole=True)
    assert not engine.stale


def traces(engine: Engine, word: int, id_: bytes) -> list[str]:
    """Where in the engine's bases a word's number, an id or a place stands."""
    (base,) = engine._state[0]
    numbers = [number for rows in base._values for number in rows.vocabulary.tolist()]
    return [*(["word"] if word in numbers else []), *(["id"] if id_ in base._ids.tobytes() else [])]


@pytest.mark.parametrize("size", [0, 1, 2])
def test_an_engine_of_any_size_matches(size):
    engine = Engine()
    engine.load((bytes([number]) * 16, Wanted()) for number in range(1, size + 1))
    assert len(engine.match(Offered())) == size
