"""The harness of the benchmarks: which round a figure is, what its ratio means, and what the results' file holds."""

import json

import pytest
from testkit.bench.__main__ import keep
from testkit.bench.figures import Figure, Round, alternate, table, worst


def figure(*rounds, name="write", **more):
    return Figure(name, "writes/s", "two inserts", tuple(Round(*one) for one in rounds), **more)


def test_a_figure_is_the_round_whose_ratio_is_the_median_so_that_its_ratio_is_that_of_its_values():
    found = figure((90, 100), (10, 100), (80, 100)).document()
    assert (found["value"], found["baseline_value"], found["ratio"]) == (80, 100, 0.8)


def test_an_inverted_figure_says_how_much_faster_its_value_is():
    assert figure((2, 8), inverted=True).ratio == 4


@pytest.mark.parametrize(
    ("better", "goal", "met"),
    [("higher", 0.5, True), ("higher", 0.51, False), ("lower", 0.5, True), ("lower", 0.49, False), ("lower", None, None)],
)
def test_a_goal_bounds_the_ratio_on_the_side_that_is_worse(better, goal, met):
    assert figure((1, 2), better=better, goal=goal).met is met


@pytest.mark.parametrize(("better", "expected"), [("higher", 0.5), ("lower", 3.0)])
def test_the_worst_of_several_stands_for_all_of_them(better, expected):
    several = [figure((number, 2), name=f"part-{number}", better=better) for number in (1, 6, 2)]
    found = worst(several, name="whole", goal=2)
    assert (found.name, found.ratio, found.goal) == ("whole", expected, 2)


async def test_the_sides_take_turns_in_going_first_and_the_warming_counts_for_nothing():
    order, numbers = [], iter(range(100))

    def side(name):
        async def measure():
            order.append(name)
            return float(next(numbers))

        return measure

    rounds = await alternate(side("ours"), side("theirs"), rounds=3)
    assert order == ["theirs", "ours", "theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert rounds == (Round(3, 2), Round(4, 5), Round(7, 6))


def test_the_results_hold_what_is_promised_and_a_run_of_some_leaves_the_others(tmp_path):
    file = tmp_path / "bench" / "results.json"
    keep(file, [figure((1, 2), goal=0.8), figure((1, 2), name="relay")])
    keep(file, [figure((2, 2), goal=0.8)])
    written = json.loads(file.read_text())
    assert [(one["name"], one["ratio"]) for one in written] == [("write", 1.0), ("relay", 0.5)]
    assert list(written[0]) == ["name", "value", "unit", "baseline", "baseline_value", "ratio", "better", "goal"]
    assert written[1]["goal"] is None


def test_the_table_says_which_goals_are_missed():
    lines = table([figure((1, 2), goal=0.8), figure((9, 10), goal=0.8, name="relay"), figure((1, 2), name="told")])
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["missed", "met", ""]
