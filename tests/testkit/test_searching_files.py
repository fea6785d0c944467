"""The search of files: every encoding, also over the border of two chunks and behind a hole."""

import base64
from pathlib import Path

import pytest
from testkit import residue
from testkit.residue import encodings, search

TEXT = "Zoë van de Kerksloot"
CHUNK = 4096


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "_CHUNK", CHUNK)


@pytest.mark.parametrize("encoding", encodings(TEXT))
@pytest.mark.parametrize("offset", [0, CHUNK - 7, 3 * CHUNK + 1])
def test_a_text_is_found_in_each_encoding_wherever_it_lies(tmp_path: Path, encoding: str, offset: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * offset + encodings(TEXT)[encoding] + b"y" * CHUNK)
    assert [(one.encoding, one.offset) for one in search([path], TEXT) if one.encoding == encoding] == [(encoding, offset)]


def test_a_text_behind_a_hole_is_found_at_its_place(tmp_path: Path) -> None:
    path, offset = tmp_path / "file", 64 * 1024 * 1024 + 10
    with path.open("wb") as file:
        file.seek(offset)
        file.write(TEXT.encode())
    assert [one.offset for one in search([path], TEXT)] == [offset]


@pytest.mark.parametrize("content", [b"", b"\0" * 9_999, TEXT[:-1].encode(), TEXT.swapcase().encode()])
def test_what_is_not_there_is_not_found(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert list(search([path, tmp_path / "gone"], TEXT)) == []


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_base64_of_a_longer_text_contains_the_form_that_is_searched_for(before: str) -> None:
    coded = base64.b64encode(f"{before}{TEXT} en meer".encode())
    assert any(form in coded for name, form in encodings(TEXT).items() if name.startswith("base64+"))
