"""What may be written where an e-mail address is asked."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})


def _seen(address: str) -> str:
    if any(unicodedata.category(sign) in _UNSEEN for sign in address):
        raise ValueError("must not contain control characters or signs that nobody sees")
    return address


Address = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, max_length=254, pattern=r"^[^\s@,;:<>()\[\]\\\"]{1,64}@[^\s@,;<>\"]+\.[^\s@,;<>\"]+$"
    ),
    AfterValidator(_seen),
]
"""One address that can be mailed; nothing that a mail header would read as two, and nothing that a mail program would read as
another address: `x(y)@z.example` is x@z.example with a comment, `x:y@z.example` a group with y@z.example in it."""
