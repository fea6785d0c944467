"""`python -m contracts`: what its commands print, write and refuse, on a small checkout of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contracts.__main__ import ROOT, main
from contracts.generated import BEGIN, END, Tree, current_schemas
from contracts.topics import EVENTS, FAMILIES, SERVICES

ACCOUNT = "identity.account.v1"


@pytest.fixture
def checkout(tmp_path: Path) -> Tree:
    """A checkout in which everything was generated."""
    tree = Tree(tmp_path)
    run(tree, "schemas")
    run(tree, "docs")
    return tree


def run(tree: Tree, command: str) -> int:
    """One command on this checkout."""
    return main(["--root", str(tree.root), command])


def change(path: Path, **fields: object) -> None:
    """Change fields of a schema that was written to this file."""
    schema = json.loads(path.read_text())
    schema["properties"] |= fields
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


def test_list_prints_every_event_with_its_meaning_key_and_followers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for event in (*EVENTS, *FAMILIES):
        assert event.topic.name in said
        assert event.topic.says in said
        assert event.topic.tombstone in said
    assert "key          <subject>:<purpose>:<controller>" in said
    assert "followed by  profiles, notifications" in said


def test_list_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = {one["topic"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(listed) == [event.topic.name for event in (*EVENTS, *FAMILIES)]
    assert listed["identity.contact.v1"]["followed_by"] == ["notifications"]
    assert listed["identity.session.v1"]["configs"]["cleanup.policy"] == "compact,delete"


def test_it_runs_as_a_module_and_explains_itself() -> None:
    done = subprocess.run([sys.executable, "-m", "contracts", "--help"], capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in ("list", "schemas", "docs", "check", "release"))


@pytest.mark.parametrize("arguments", [[], ["explode"]])
def test_without_a_known_command_it_fails(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_schemas_writes_one_file_for_each_event_and_one_document_for_each_service(checkout: Tree) -> None:
    assert {path.stem for path in (checkout.schemas / "current").iterdir()} == {
        event.topic.name for event in (*EVENTS, *FAMILIES)
    }
    assert {path.stem for path in (checkout.schemas / "asyncapi").iterdir()} == set(SERVICES)


def test_writing_again_touches_nothing(checkout: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(checkout, "schemas") == run(checkout, "docs") == run(checkout, "check") == 0
    assert capsys.readouterr().out == ""


def test_check_names_every_file_that_is_out_of_date(checkout: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    changed = checkout.schemas / "current" / f"{ACCOUNT}.json"
    missing = checkout.schemas / "asyncapi" / "consent.json"
    extra = checkout.schemas / "current" / "identity.forgotten.v1.json"
    changed.write_text("{}\n")
    missing.unlink()
    extra.write_text("{}\n")
    checkout.page.write_text(checkout.page.read_text().replace("sealed to notifications", "in the clear"))
    capsys.readouterr()
    assert run(checkout, "check") == 1
    said = capsys.readouterr().out
    assert all(f"{path}: out of date" in said for path in (changed, missing, extra, checkout.page))
    assert len(said.splitlines()) == 4
    assert run(checkout, "schemas") == run(checkout, "docs") == 0
    assert not extra.exists()
    assert run(checkout, "check") == 0


def test_docs_keeps_what_people_wrote_around_the_table(checkout: Tree) -> None:
    checkout.page.write_text(f"# Events\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    run(checkout, "docs")
    text = checkout.page.read_text()
    assert text.startswith(f"# Events\n\nBefore.\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in text
    assert f"| `{ACCOUNT}` |" in text


def test_release_adds_each_shape_once(checkout: Tree) -> None:
    assert run(checkout, "release") == run(checkout, "release") == run(checkout, "check") == 0
    assert checkout.released.topics() == sorted(event.topic.name for event in (*EVENTS, *FAMILIES))
    assert [path.name for path in checkout.released.revisions(ACCOUNT)] == ["1.json"]


def test_release_keeps_the_old_shape_beside_the_new_one(checkout: Tree) -> None:
    run(checkout, "release")
    schema = current_schemas()[ACCOUNT]
    schema["properties"]["colour"] = {"type": "string", "default": "blue"}
    path = checkout.released.append(ACCOUNT, schema)
    assert path == checkout.released.folder / ACCOUNT / "2.json"
    assert checkout.released.tampered() == []
    # Today's models lack the field of that second shape, so yesterday's consumers would miss it.
    assert list(checkout.released.broken_by(current_schemas())) == [ACCOUNT]


def test_a_break_is_named_and_neither_checked_nor_released(checkout: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    schema = current_schemas()[ACCOUNT]
    schema["properties"]["state"]["enum"].append("asleep")
    schema["properties"]["nickname"] = {"type": "string"}
    schema["required"].append("nickname")
    checkout.released.append(ACCOUNT, schema)
    capsys.readouterr()
    assert run(checkout, "check") == run(checkout, "release") == 1
    said = capsys.readouterr().out
    assert f"{ACCOUNT}: nickname: field removed or renamed (breaks everybody)" in said
    assert f"{ACCOUNT}: state: value 'asleep' is written, but only ['confirmed', 'locked', 'closed'] are read" in said
    assert "a breaking change is a new version of the topic" in said
    assert [path.name for path in checkout.released.revisions(ACCOUNT)] == ["1.json"]


def test_every_released_shape_counts_since_all_may_lie_in_the_log(checkout: Tree) -> None:
    old = current_schemas()[ACCOUNT]
    old["properties"]["state"]["enum"].append("asleep")
    checkout.released.append(ACCOUNT, old)
    checkout.released.append(ACCOUNT, current_schemas()[ACCOUNT])
    assert list(checkout.released.broken_by(current_schemas())) == [ACCOUNT]


def test_a_topic_may_go_only_when_a_newer_version_is_there(checkout: Tree) -> None:
    schema = current_schemas()[ACCOUNT]
    checkout.released.append("identity.gone.v2", schema)
    for others in ({}, {"identity.gone.v1": schema}, {"identity.other.v3": schema}):
        assert list(checkout.released.broken_by(current_schemas() | others)) == ["identity.gone.v2"]
    assert checkout.released.broken_by(current_schemas() | {"identity.gone.v3": schema}) == {}


def test_what_was_released_is_never_changed(checkout: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    run(checkout, "release")
    account, contact, session = (
        checkout.released.folder / f"identity.{name}.v1" / "1.json" for name in ("account", "contact", "session")
    )
    change(account, state={"type": "string"})
    contact.unlink()
    session.with_name("2.json").write_text(session.read_text())
    capsys.readouterr()
    assert run(checkout, "check") == run(checkout, "release") == 1
    said = capsys.readouterr().out
    assert "released: identity.account.v1/1.json was changed after its release" in said
    assert "released: identity.contact.v1/1.json was released and is gone" in said
    assert "released: identity.session.v1/2.json was put there by hand" in said


def test_the_tree_itself_is_up_to_date_and_breaks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check"])
    assert (status, capsys.readouterr().out) == (0, "")


def test_no_commit_ever_changed_a_released_schema() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no history here")
    command = ["git", "log", "--diff-filter=MDR", "--format=%h", "--", "libs/contracts/schemas/released/*.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - a constant command
    assert done.stdout == ""
