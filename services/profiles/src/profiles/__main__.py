"""`python -m profiles api | worker | rebuild-bank | access-log | settings`."""

import argparse
import asyncio

from chassis.command import Command, main
from chassis.resources import WORKER_PATIENCE
from chassis.terminal import say

from profiles import access_log
from profiles.app import INDEXES, build_api, build_worker, parts
from profiles.bank.service import rebuild
from profiles.settings import ProfilesSettings


def _rebuild_bank(settings: ProfilesSettings, _: argparse.Namespace) -> None:
    async def run() -> int:
        made = parts(settings, patience=WORKER_PATIENCE)
        try:
            await made.mongo.ensure_indexes(*INDEXES)
            return await rebuild(made.mongo, made.records, tell=say)
        finally:
            await made.close()

    say(f"the bank shows what {asyncio.run(run())} profiles allow")


REBUILD_BANK = Command(
    "rebuild-bank", "make the searchable projection of the candidate bank anew, while the service runs", _rebuild_bank
)

ACCESS_LOG = Command("access-log", access_log.HELP, access_log.run, access_log.arguments)

if __name__ == "__main__":
    main(
        ProfilesSettings,
        description="Profiles, the candidate bank, vacancies.",
        api=build_api,
        worker=build_worker,
        commands=[REBUILD_BANK, ACCESS_LOG],
    )
