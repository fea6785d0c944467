"""The public keys, for whoever checks our tokens without reading our topics."""

from chassis.http.guards import public
from chassis.mongo import Mongo
from litestar import Response, get
from litestar.di import NamedDependency

from identity.keys import service


@get("/jwks", opt={"access": public()}, media_type="application/json", summary="Public keys of access tokens (JWKS)")
async def jwks(mongo: NamedDependency[Mongo]) -> Response[dict[str, list[dict[str, str]]]]:
    """A new key stands here an hour before its first use, so the answer may be kept for some minutes."""
    return Response(await service.jwks(mongo=mongo), headers={"Cache-Control": "public, max-age=300"})


ROUTES = [jwks]
