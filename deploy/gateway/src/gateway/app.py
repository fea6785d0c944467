"""The application: a start page, one page that documents all services, and problem documents for everything else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chassis.http.context import add_headers
from chassis.http.errors import answer
from chassis.http.language import Text
from chassis.http.problems import NotFoundProblem, Problem
from litestar import HttpMethod, Litestar, Request, Response, get, route
from litestar.datastructures import CacheControlHeader
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.static_files import create_static_files_router

STATIC = Path(__file__).parent / "static"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ANY_METHOD = list(HttpMethod)
AnyRequest = Request[Any, Any, Any]

UNREACHABLE = Text("De dienst is even niet bereikbaar", "The service cannot be reached at the moment")
# What Traefik itself has to say: it lets a request not through, or a service does not answer.
OWN_ERRORS: dict[int, Problem] = {
    413: Problem(status=413, code="too-large", title=Text("Het verzoek is te groot", "The request is too large")),
    429: Problem(status=429, code="too-many", title=Text("Te veel verzoeken", "Too many requests"), headers={"Retry-After": "1"}),
    502: Problem(status=502, code="unreachable", title=UNREACHABLE, headers={"Retry-After": "2"}),
    504: Problem(status=504, code="unreachable", title=UNREACHABLE, headers={"Retry-After": "2"}),
}


def build(services: Sequence[str], documentation: Path) -> Litestar:
    """Return the application; `documentation` is the folder of Swagger UI's own distribution."""
    return Litestar(
        [
            *_pages(services),
            own_error,
            nothing_here,
            _files("/assets", STATIC),
            _files("/docs/ui", documentation),
        ],
        exception_handlers={Exception: answer},
        before_send=[add_headers],
        openapi_config=None,
        logging_config=None,
    )


def _pages(services: Sequence[str]) -> list[HTTPRouteHandler]:
    documents = [{"name": name, "url": f"/api/{name}/v1/openapi.json"} for name in services]

    @get("/", media_type=MediaType.HTML, sync_to_thread=False)
    def start_page() -> Response[str]:
        return _html("start.html")

    @get("/docs", media_type=MediaType.HTML, sync_to_thread=False)
    def docs_page() -> Response[str]:
        return _html("docs.html")

    @get("/docs/services.json", sync_to_thread=False)
    def documented_services() -> list[dict[str, str]]:
        return documents

    return [start_page, docs_page, documented_services]


@route("/errors/{status:int}", http_method=ANY_METHOD, sync_to_thread=False)
def own_error(request: AnyRequest, status: FromPath[int]) -> Response[Any]:
    """Answer for the gateway, which cannot make a document itself; it asks with the method of the request that failed."""
    return answer(request, OWN_ERRORS.get(status, NotFoundProblem()))


@route(["/{path:path}"], http_method=ANY_METHOD, sync_to_thread=False)
def nothing_here(request: AnyRequest) -> Response[Any]:
    """Answer for every path that no service has."""
    return answer(request, NotFoundProblem())


def _html(name: str) -> Response[str]:
    return Response((STATIC / name).read_text(), media_type=MediaType.HTML, headers={"Content-Security-Policy": CSP})


def _files(path: str, folder: Path) -> Any:
    return create_static_files_router(path, [folder], cache_control=CacheControlHeader(public=True, max_age=3600))
