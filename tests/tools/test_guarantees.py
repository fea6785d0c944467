"""The page of guarantees names the tests that hold them: each must be there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture" / "guarantees.md"
NAME = re.compile(r"`(test_\w+)`")


def test_every_test_that_the_guarantees_name_exists():
    defined = {name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)\(", file.read_text())}
    named = set(NAME.findall(PAGE.read_text()))
    assert named
    assert named <= defined, sorted(named - defined)


def test_every_guarantee_names_its_limit_and_a_test():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells
    assert all(len(row) == 4 and all(row) and NAME.search(row[3]) for row in cells), cells
