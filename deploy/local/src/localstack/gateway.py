"""The gateway: Traefik with the routes of `deploy/gateway`, and our own few pages behind it."""

import sys
import sysconfig
from pathlib import Path

from localstack.downloads import npm_folder
from localstack.layout import ROOT, Instance, services, stack
from localstack.services import collector_url

ROUTES = ROOT / "deploy" / "gateway" / "routes.yml"


def command(instance: Instance) -> list[str]:
    """What starts Traefik. Ports are its start arguments; what it does with a request stands in `routes.yml`."""
    public, internal = (f"127.0.0.1:{instance.port(part)}" for part in ("gateway", "gateway_internal"))
    return [
        str(Path(sysconfig.get_path("scripts")) / "traefik"),
        f"--entrypoints.public.address={public}",
        "--entrypoints.public.transport.respondingtimeouts.readtimeout=30s",
        f"--entrypoints.internal.address={internal}",
        "--entrypoints.internal.forwardedheaders.trustedips=127.0.0.1/32",
        "--ping=true",
        "--ping.manualrouting=true",
        f"--providers.file.filename={ROUTES}",
        "--providers.file.watch=false",
        *_tracing(instance),
        "--log.level=WARN",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]


def _tracing(instance: Instance) -> list[str]:
    """Each request gets a trace; without a collector it is not sampled, and the address is never asked."""
    collector = collector_url(instance)
    return [
        "--tracing.servicename=gateway",
        f"--tracing.samplerate={1 if collector else 0}",
        f"--tracing.otlp.http.endpoint={collector or 'http://127.0.0.1:9'}/v1/traces",
        "--entrypoints.internal.observability.tracing=false",
    ]


def environment(instance: Instance) -> dict[str, str]:
    """What `routes.yml` asks for."""
    limits = stack()["gateway"]
    apis = {f"GATEWAY_{service.upper()}": _address(instance.service_port(service, "api")) for service in services()}
    return {
        **apis,
        # Traefik's spans would hold paths (the secret of a mailed link), addresses and browsers: they keep name and time only
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0",
        "GATEWAY_SERVICES": ",".join(services()),
        "GATEWAY_PAGES": _address(instance.port("pages")),
        "GATEWAY_INTERNAL": _address(instance.port("gateway_internal")),
        "GATEWAY_BODY_BYTES": str(limits["body_bytes"]),
        "GATEWAY_AVERAGE": str(limits["requests_per_second"]),
        "GATEWAY_BURST": str(limits["requests_at_once"]),
    }


def ping_url(instance: Instance) -> str:
    """Where Traefik says that it runs."""
    return f"{_address(instance.port('gateway_internal'))}/ping"


def pages_command(instance: Instance) -> list[str]:
    """What starts the pages behind the gateway."""
    return [sys.executable, "-m", "gateway", "--port", str(instance.port("pages"))]


def pages_environment(_instance: Instance) -> dict[str, str]:
    """Which services /docs shows, and where Swagger UI lies."""
    return {
        "GATEWAY_SERVICES": ",".join(services()),
        "GATEWAY_DOCS": str(npm_folder("docs") / "node_modules" / "swagger-ui-dist"),
    }


def pages_url(instance: Instance) -> str:
    """Where the pages answer."""
    return f"{_address(instance.port('pages'))}/"


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}"
