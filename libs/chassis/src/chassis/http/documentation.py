"""OpenAPI 3.1: each service describes itself under its own path; who may call and what may go wrong stands there too."""

from typing import Any

from litestar import Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from pydantic import BaseModel, Field

from chassis.http.guards import public
from chassis.http.problems import TYPE, NotFoundProblem

_SCHEME = "token"


class FieldErrorDocument(BaseModel):
    """One field that breaks one rule."""

    field: str
    rule: str
    category: str | None = Field(None, description="Which of the kinds that the rule knows, where it knows several.")
    detail: str | None = None


class ProblemDocument(BaseModel):
    """Every error (RFC 9457)."""

    type: str = Field(description=f"`{TYPE}` and a stable code.")
    title: str = Field(description="For a person, in the language of `Accept-Language`.")
    status: int
    detail: str | None = None
    instance: str = Field(description="The request's id, for questions about it.")
    errors: list[FieldErrorDocument] | None = None


def openapi(service: str, version: str) -> OpenAPIConfig:
    """Return the configuration of `/api/<service>/v1/openapi.json`."""
    path = f"/api/{service}/v1"
    scheme = SecurityScheme(type="http", scheme="bearer", bearer_format="JWT", description="Access token of identity.")
    return OpenAPIConfig(
        title=f"Kandidatenbank: {service}",
        version=version,
        components=Components(security_schemes={_SCHEME: scheme}),
        openapi_router=Router(
            path,
            route_handlers=[],
            opt={"access": public()},
            include_in_schema=False,
            before_request=_only_the_document,
        ),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        use_handler_docstrings=True,
    )


async def _only_the_document(request: Request[Any, Any, Any]) -> None:
    """Litestar answers for every other path beside the document with a page of its own; ours is a problem document."""
    if not request.url.path.endswith("/openapi.json"):
        raise NotFoundProblem


def stamp(handler: HTTPRouteHandler) -> None:
    """Add to a handler what OpenAPI shall say of its rule and its errors."""
    access = handler.opt["access"]
    handler.security = None if access.everybody else [{_SCHEME: []}]
    statuses = {400: "Unreadable", 422: "Invalid", 503: "Try again"}
    if not access.everybody:
        statuses |= {401: "Not signed in", 403: "Not allowed"}
    problems = {
        status: ResponseSpec(ProblemDocument, description=text, generate_examples=False, media_type="application/problem+json")
        for status, text in statuses.items()
    }
    handler.responses = {**problems, **(handler.responses or {})}
