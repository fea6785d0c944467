"""What a refusal has to be: a problem document with its status and code that names field and rule and repeats nothing sent."""

from typing import Any

import httpx

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:kandidatenbank:problem:"


def expect_refused(answer: httpx.Response, status: int, code: str | None = None, **rules: str) -> dict[str, Any]:
    """Check the refusal and return its document. `rules` are `field="rule"`, with `__` for a dot in a field's name."""
    told = f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:600]}"
    assert answer.status_code == status, told  # noqa: S101 - tests call this
    assert answer.headers["content-type"].startswith(MEDIA_TYPE), told  # noqa: S101 - tests call this
    document: dict[str, Any] = answer.json()
    assert document["status"] == status, told  # noqa: S101 - tests call this
    assert document["title"], told  # noqa: S101 - tests call this
    assert document["instance"] == answer.headers["x-request-id"], told  # noqa: S101 - tests call this
    if code is not None:
        assert document["type"] == f"{TYPE}{code}", told  # noqa: S101 - tests call this
    for field, rule in rules.items():
        named = {(error["field"], error["rule"]) for error in document.get("errors", [])}
        assert (field.replace("__", "."), rule) in named, told  # noqa: S101 - tests call this
    return document
