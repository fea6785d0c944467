"""An API of the chassis with one authenticated route and nothing behind it: `python -m testkit.bench.authenticated`."""

from typing import Any

from chassis.clock import Clock
from chassis.http.app import build_api
from chassis.http.guards import signed_in
from chassis.mongo import Mongo
from chassis.process import run_api
from chassis.settings import ServiceSettings, load
from chassis.tokens import Caller
from litestar import Litestar, get
from litestar.di import NamedDependency
from pydantic_settings import SettingsConfigDict

from testkit.bench.bare import ANSWER


class BenchSettings(ServiceSettings):
    """What every service is told."""

    model_config = SettingsConfigDict(env_prefix="BENCH_")


@get("/answer", opt={"access": signed_in()})
async def answer(caller: NamedDependency[Caller]) -> dict[str, Any]:
    """Answer who asks."""
    return {**ANSWER, "subject": caller.subject}


def build(settings: BenchSettings) -> Litestar:
    """Return the API."""
    mongo = Mongo(settings.mongo_url.get_secret_value(), database=settings.mongo_database, clock=Clock())
    return build_api(settings=settings, version="1", routes=[answer], mongo=mongo, clock=mongo.clock)


def main() -> None:
    """Serve it."""
    settings = load(BenchSettings)
    run_api(lambda: build(settings), settings)


if __name__ == "__main__":
    main()
