"""`python -m profiles api | worker | settings`."""

from chassis.command import main

from profiles.app import build_api, build_worker
from profiles.settings import ProfilesSettings

if __name__ == "__main__":
    main(ProfilesSettings, description="Profiles, the candidate bank, vacancies.", api=build_api, worker=build_worker)
