"""Which passwords are refused: NIST SP 800-63B asks for length and against the well-known, not for kinds of characters."""

import unicodedata

MIN_LENGTH = 12
MAX_LENGTH = 256
"""Argon2 hashes any length; the limit only keeps a request small."""

FEWEST_CHARACTERS = 2
"""`abababababab` is as weak as one letter."""

_COMMON = """
    123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv
    aaaaaaaaaaaa abcdefghijkl abcdefghijklm administrator administrator1 changemenow1 changeme1234 correcthorsebatterystaple
    iloveyou1234 letmeinletmein minecraft1234 password1234 password12345 password123456 passwordpassword qwertyqwerty
    qwerty123456 qwerty1234567 qwertyuiop12 qwertyuiop123 qwertyuiopasdf welcome12345 welcome123456 welkom123456 welkom1234567
    welkomwelkom wachtwoord12 wachtwoord123 wachtwoord1234 wachtwoord12345 wachtwoordwachtwoord geheim123456 kandidatenbank
    kandidatenbank1 kandidatenbank123 amsterdam1234 amsterdam2023 amsterdam2024 amsterdam2025 amsterdam2026 feyenoord1234
    nederland123 nederland1234 zomer2024zomer zomer2025zomer zomer2026zomer sollicitatie sollicitatie1 sollicitatie123
"""
COMMON = frozenset(_COMMON.split())
"""The best known of at least `MIN_LENGTH` characters, as people in the Netherlands choose them."""


def normalised(password: str) -> str:
    """Return the form that is hashed: NFKC, so that the same keys give the same password on every keyboard."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, *, address: str) -> str | None:
    """Return the code of the rule that the password breaks, or None.

    Codes: `too-short`, `too-long`, `is-address`, `too-common`.
    """
    text = normalised(password)
    plain = text.casefold()
    if len(text) < MIN_LENGTH:
        return "too-short"
    if len(text) > MAX_LENGTH:
        return "too-long"
    if plain in _forms(address):
        return "is-address"
    if plain in COMMON or len(set(plain)) <= FEWEST_CHARACTERS:
        return "too-common"
    return None


def _forms(address: str) -> set[str]:
    """Return the address and its parts, as somebody would use them for a password."""
    plain = address.strip().casefold()
    local, _, domain = plain.partition("@")
    return {plain, local, domain, plain[::-1], local * 2}
