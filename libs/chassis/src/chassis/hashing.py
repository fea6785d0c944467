"""Keyed hashes: how a value is found again by equality where only its ciphertext is stored.

Without the key nobody can try out addresses or words. Each purpose has hashes of its own, so that two collections cannot be
joined by them. What is written differently but means the same is made equal first.
"""

import base64
import hmac
import unicodedata
from typing import Final

import idna

_SEPARATOR: Final = "\0"


class NotAnAddressError(ValueError):
    """The text cannot be an e-mail address. The message does not repeat it."""


def keyed_hash(key: bytes, purpose: str, text: str) -> str:
    """Return the HMAC-SHA-256 of a text for one purpose, 43 URL-safe characters."""
    return base64.urlsafe_b64encode(_digest(key, purpose, text)).rstrip(b"=").decode()


def keyed_number(key: bytes, purpose: str, text: str) -> int:
    """Return the first 64 bits of the same hash as a signed number, for many that are compared in memory."""
    return int.from_bytes(_digest(key, purpose, text)[:8], "big", signed=True)


def address_hash(key: bytes, purpose: str, address: str) -> str:
    """Return the hash by which an e-mail address is found, however it was written."""
    return keyed_hash(key, purpose, normal_address(address))


def word_hash(key: bytes, purpose: str, word: str) -> str:
    """Return the hash by which a word is found, whatever its capitals and accents."""
    return keyed_hash(key, purpose, normal_word(word))


def normal_address(address: str) -> str:
    """Return the one way to write an e-mail address: small letters (no provider tells them apart), the domain as IDNA 2008.

    Not casefolded: that would take groß@ and gross@, or straße.de and strasse.de, who are two people, for one.

    Raises:
        NotAnAddressError: No local part, or a domain that cannot exist.
    """
    local, _, domain = address.strip().rpartition("@")
    if not local:
        raise NotAnAddressError("there is nothing before the @")
    return f"{unicodedata.normalize('NFC', local.lower())}@{normal_domain(domain)}"


def normal_domain(domain: str) -> str:
    """Return a domain as mail servers take it (IDNA 2008): whoever mails an address reaches the one that its hash stands for.

    Raises:
        NotAnAddressError: The domain cannot exist.
    """
    try:
        return idna.encode(domain.rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        raise NotAnAddressError("the domain cannot exist") from None


def normal_word(word: str) -> str:
    """Return a word without capitals, accents and outer space: 'Café' and 'cafe' are one."""
    letters = unicodedata.normalize("NFKD", word.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _digest(key: bytes, purpose: str, text: str) -> bytes:
    if _SEPARATOR in purpose:
        raise ValueError("a purpose is a constant name")
    return hmac.digest(key, f"{purpose}{_SEPARATOR}{text}".encode(), "sha256")
