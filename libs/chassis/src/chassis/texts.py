"""Which texts of strangers may be shown to others: whatever is kept must look, in a mail or on a page, like what it is.

Control characters and separators of lines can end a header or a line in one program and not in another; directional
overrides let a text read backwards, so that a link or a name looks like another one.
"""

import re
from typing import Final

_LINES: Final = "\n\r\t"
_NEVER: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, those of Latin-1 too (U+0085 ends a line)
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of direction
    "\ufff9-\ufffb\U000e0000-\U000e007f]"  # annotations and tags, which nobody sees
)
_UNSEEN: Final = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]*"
)


def readable(text: str) -> str:
    """Return a text that holds nothing which nobody sees and something that one sees; a validator for pydantic.

    Raises:
        ValueError: It holds control characters or signs that turn its direction, or nothing that can be seen.
    """
    if _NEVER.search(text):
        raise ValueError("must not contain control characters")
    if _UNSEEN.fullmatch(text):
        raise ValueError("must contain something that can be seen")
    return text


def one_line(text: str) -> str:
    """Return a text that stands on one line; a validator for pydantic, to be used with `readable`.

    Raises:
        ValueError: It goes over lines.
    """
    if any(sign in text for sign in _LINES):
        raise ValueError("must be one line")
    return text
