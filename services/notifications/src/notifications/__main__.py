"""`python -m notifications api | worker | settings`."""

from chassis.command import main

from notifications.app import build_api, build_worker
from notifications.settings import NotificationsSettings

if __name__ == "__main__":
    main(NotificationsSettings, description="E-mail, saved searches and alerts.", api=build_api, worker=build_worker)
