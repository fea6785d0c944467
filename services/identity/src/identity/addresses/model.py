"""What may be written where an e-mail address is asked."""

from typing import Annotated

from pydantic import StringConstraints

Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]+\.[^\s@,;<>\"]+$"),
]
"""One address that can be mailed; nothing that a mail header would read as two."""
