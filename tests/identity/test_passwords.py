"""R6: which passwords are refused, and that comparing costs the same for nobody."""

import pytest
from identity.passwords.model import COMMON, MIN_LENGTH, fault
from identity.passwords.service import Passwords

ADDRESS = "fatima.el-amrani@voorbeeld.example"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too-short"),
        ("elf tekens!", "too-short"),
        ("x" * 257, "too-long"),
        ("FATIMA.el-amrani@voorbeeld.example", "is-address"),
        ("Fatima.El-Amrani", "is-address"),
        ("voorbeeld.example", "is-address"),
        ("Welkom1234567", "too-common"),
        ("abababababab", "too-common"),
        ("pas fiets brug", None),
        ("twaalftekens", None),
        ("🐟🐟🐟🐟🐟🐟 vis vis", None),
    ],
)
def test_a_password_is_judged_by_length_and_by_what_everybody_guesses(password: str, code: str | None) -> None:
    assert fault(password, address=ADDRESS) == code


def test_the_list_of_common_ones_holds_nothing_that_length_refuses_anyway() -> None:
    assert [word for word in COMMON if len(word) < MIN_LENGTH or word != word.casefold()] == []


@pytest.fixture(scope="module")
def passwords():
    cheap = Passwords(memory_kib=8192, passes=1, threads=2)
    yield cheap
    cheap.close()


async def test_the_right_password_fits_and_a_wrong_one_does_not(passwords: Passwords) -> None:
    stored = await passwords.hash("pas fiets brug")
    assert await passwords.verify(stored, "pas fiets brug")
    assert not await passwords.verify(stored, "pas fiets brug ")


async def test_the_same_characters_fit_however_the_keyboard_composes_them(passwords: Passwords) -> None:
    stored = await passwords.hash("cafe\u0301 op de hoek")
    assert await passwords.verify(stored, "caf\u00e9 op de hoek")


async def test_nobody_has_no_password_not_even_the_one_that_nobody_is_compared_with(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "the hash of nobody's password")


async def test_a_damaged_hash_fits_nothing(passwords: Passwords) -> None:
    assert not await passwords.verify("$argon2id$damaged", "pas fiets brug")


async def test_a_hash_made_with_other_parameters_is_renewed(passwords: Passwords) -> None:
    stored = await passwords.hash("pas fiets brug")
    dearer = Passwords(memory_kib=9000, passes=1, threads=1)
    assert not passwords.outdated(stored)
    assert dearer.outdated(stored)
    assert await dearer.verify(stored, "pas fiets brug")
    dearer.close()
