"""`python -m identity create-operator`: the first operator, from the command line, with the secret on standard input."""

import os
import subprocess
import sys
from pathlib import Path

EMAIL = "beheer@voorbeeld.example"


def run(identity, *arguments: str, stdin: str = "", **extra: str) -> subprocess.CompletedProcess:
    settings = identity.settings
    secrets = ("mongo_url", "keyring_url", "hash_key")
    environment = {f"IDENTITY_{name.upper()}": getattr(settings, name).get_secret_value() for name in secrets}
    environment |= {
        "IDENTITY_MONGO_DATABASE": settings.mongo_database,
        "IDENTITY_KEYRING_DATABASE": settings.keyring_database,
        "IDENTITY_MASTER_KEYS": str(settings.master_keys),
        "IDENTITY_PRODUCTION": "false",
        "IDENTITY_CLOCK_FILE": str(settings.clock_file),
        "PATH": os.environ["PATH"],
        **extra,
    }
    command = [sys.executable, "-m", "identity", *arguments]
    return subprocess.run(  # noqa: S603 - our own interpreter and package
        command, input=stdin, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


async def test_the_command_makes_an_operator_who_can_sign_in(identity) -> None:
    made = run(identity, "create-operator", "--email", EMAIL, stdin="pas fiets brug\n")
    assert made.returncode == 0, made.stderr
    person = await identity.signed_in(EMAIL)
    assert person.account == made.stdout.strip()
    assert person.claims["role"] == "operator"
    assert [event["roles"] for event in await identity.events("identity.account.v1")] == [["operator"]]
    assert identity.open((await identity.events("identity.contact.v1"))[0]["sealed"]) == {"address": EMAIL}


async def test_making_the_same_operator_again_changes_nothing_and_says_so(identity) -> None:
    run(identity, "create-operator", "--email", EMAIL, stdin="pas fiets brug\n")
    before = await identity.mongo.find("accounts", {})
    again = run(identity, "create-operator", "--email", EMAIL.upper(), stdin="een ander wachtwoord\n")
    assert again.returncode == 1
    assert "already" in again.stderr
    assert await identity.mongo.find("accounts", {}) == before


async def test_a_weak_secret_and_a_wrong_address_are_refused_without_being_repeated(identity) -> None:
    weak = run(identity, "create-operator", "--email", EMAIL, stdin="kort\n")
    wrong = run(identity, "create-operator", "--email", "geen adres", stdin="pas fiets brug\n")
    assert (weak.returncode, wrong.returncode) == (1, 1)
    assert "geen adres" not in wrong.stderr
    assert "too-short" in weak.stderr
    assert "kort" not in weak.stderr
    assert await identity.mongo.find("accounts", {}) == []


async def test_an_unknown_variable_stops_the_start(identity) -> None:
    refused = run(identity, "create-operator", "--email", EMAIL, stdin="x\n", IDENTITY_ACESS_TOKEN_LIFE="PT1H")
    assert refused.returncode != 0
    assert "IDENTITY_ACESS_TOKEN_LIFE" in refused.stderr


async def test_the_settings_are_listed_without_values_of_secrets(identity) -> None:
    shown = run(identity, "settings").stdout
    assert "IDENTITY_ACCESS_TOKEN_LIFE=PT10M" in shown
    assert identity.settings.hash_key.get_secret_value() not in shown
    assert Path(identity.settings.clock_file or "").name not in shown.split("=")
