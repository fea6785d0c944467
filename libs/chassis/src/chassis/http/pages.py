"""Pages that people reach from a mail: GET and HEAD show, POST acts, because mail scanners follow links.

One template, no script, nothing loaded from elsewhere. The address holds a secret, so nothing is cached and no referrer sent.

    @route("/pages/renew/{secret:str}", http_method=["GET", "HEAD"], opt=PAGE)
    async def show_renewal(request: …) -> Response[str]:
        return page(language_of(request), title=Text(…), text=[Text(…)], button=Text("Ja, verleng", "Yes, renew"))
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.enums import MediaType
from markupsafe import Markup

from chassis.http.guards import public
from chassis.http.language import Language, Text
from chassis.http.problems import Problem

_STYLE = (
    "body{margin:0;background:#f3f4f6;color:#1f2937;font:1.125rem/1.6 system-ui,sans-serif}"
    "main{max-width:36rem;margin:4rem auto;padding:2rem;background:#fff;border-radius:.5rem}"
    "h1{margin-top:0;font-size:1.5rem;line-height:1.3}"
    "input{display:block;box-sizing:border-box;width:100%;margin:.25rem 0 1rem;padding:.5rem;font:inherit}"
    "button{padding:.75rem 1.5rem;border:0;border-radius:.375rem;background:#1d4ed8;color:#fff;font:inherit;cursor:pointer}"
    "button:focus-visible{outline:3px solid #93c5fd;outline-offset:2px}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
_TEMPLATE = Environment(
    loader=PackageLoader("chassis.http", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
).get_template("page.html.j2")

PAGE: Mapping[str, Any] = {"access": public(), "page": True}
"""The `opt` of a page's routes: everybody may come, and errors are shown as pages too."""


def page(
    language: Language,
    *,
    title: Text,
    text: Sequence[Text] = (),
    button: Text | None = None,
    new_password: Text | None = None,
    status: int = 200,
) -> Response[str]:
    """Return a page; its button, if any, posts to the page's own address, with a form field `password` where one is asked."""
    html = _TEMPLATE.render(
        language=language,
        title=title.to(language),
        paragraphs=[paragraph.to(language) for paragraph in text],
        button=button.to(language) if button else None,
        new_password=new_password.to(language) if new_password else None,
        style=Markup(_STYLE),  # noqa: S704 - a constant of this module
    )
    headers = {**_HEADERS, "Content-Language": language}
    return Response(html, media_type=MediaType.HTML, status_code=status, headers=headers)


def failed_page(problem: Problem, language: Language) -> Response[str]:
    """Return a problem as a page, for people who came from a mail and cannot read JSON."""
    shown = page(language, title=problem.title, status=problem.status)
    shown.headers.update(problem.headers)
    return shown
