"""`python -m consent api | worker | settings`."""

from chassis.command import main

from consent.app import build_api, build_worker
from consent.settings import ConsentSettings

if __name__ == "__main__":
    main(ConsentSettings, description="The privacy statement and what people decided.", api=build_api, worker=build_worker)
