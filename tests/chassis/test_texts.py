import pytest
from chassis.texts import one_line, readable


@pytest.mark.parametrize(
    "text", ["a\x00", "a\x85b", "a\x7f", "a\u2028Bcc: x", "a\u2029b", "moc.\u202eelpmaxe", "\u2066a", "a\U000e0041"]
)
def test_what_breaks_lines_or_turns_direction_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control"):
        readable(text)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u3164", "\u200e \ufeff"])
def test_what_nobody_sees_is_no_text(text: str) -> None:
    with pytest.raises(ValueError, match="seen"):
        readable(text)


@pytest.mark.parametrize("text", ["Zoë", "👩‍💻 data-analist", "مهندس", "a\nb\tc", "C++ & C# < 5 jaar", "नमस्ते\u200d"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\tb"])
def test_one_line_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        one_line(text)
    assert one_line("één regel") == "één regel"
