"""`python -m notifications api | worker | provision | settings`."""

from chassis.command import Command, main

from notifications import provision
from notifications.app import build_api, build_worker
from notifications.settings import NotificationsSettings

PROVISION = Command("provision", provision.HELP, provision.run, provision.arguments)

if __name__ == "__main__":
    main(
        NotificationsSettings,
        description="E-mail, saved searches and alerts.",
        api=build_api,
        worker=build_worker,
        commands=[PROVISION],
    )
