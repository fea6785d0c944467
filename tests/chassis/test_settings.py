"""Settings come from the environment, fail at start, and never show a value."""

from datetime import timedelta
from pathlib import Path

import pytest
from chassis.settings import Duration, ServiceSettings, SettingsError, load, show
from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict


class SampleSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    link_valid: Duration = Field(timedelta(hours=48), description="How long a link is valid.")


NEEDED = {"MONGO_URL": "mongodb://user:hunter2@db", "KEYRING_URL": "mongodb://k", "MASTER_KEYS": "/keys", "HASH_KEY": "h"}
LOGIN = {"KAFKA_USER": "sample", "KAFKA_PASSWORD": "hunter2"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (NEEDED | LOGIN).items():
        monkeypatch.setenv(f"SAMPLE_{name}", value)


def test_a_service_gets_its_defaults_and_its_name() -> None:
    settings = load(SampleSettings)
    assert (settings.service(), settings.mongo_database, settings.keyring_database) == ("sample", "sample", "sample_keyring")
    assert settings.production
    assert settings.link_valid == timedelta(days=2)


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        load(SampleSettings).port = 1


def test_an_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_LINK_VALLID", "PT5S")
    with pytest.raises(SettingsError, match=r"^unknown variables: SAMPLE_LINK_VALLID$"):
        load(SampleSettings)


def test_only_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_KAFKA_FILE", "/etc/passwd")
    with pytest.raises(SettingsError, match="SAMPLE_KAFKA_FILE"):
        load(SampleSettings)


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.delenv("SAMPLE_HASH_KEY")
    monkeypatch.setenv("SAMPLE_HASH_KEY_FILE", str(tmp_path / "key"))
    assert load(SampleSettings).hash_key.get_secret_value() == "from-a-file"
    monkeypatch.setenv("SAMPLE_HASH_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SettingsError, match="SAMPLE_HASH_KEY_FILE cannot be read"):
        load(SampleSettings)


@pytest.mark.parametrize("name", NEEDED.keys() - {"MASTER_KEYS"})
def test_a_secret_has_no_default(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(f"SAMPLE_{name}")
    with pytest.raises(SettingsError, match=f"SAMPLE_{name}: Field required"):
        load(SampleSettings)


def test_the_master_keys_are_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_VAULT_URL", "https://vault:8200")
    with pytest.raises(SettingsError, match="either SAMPLE_MASTER_KEYS or SAMPLE_VAULT_URL"):
        load(SampleSettings)
    monkeypatch.delenv("SAMPLE_MASTER_KEYS")
    with pytest.raises(SettingsError, match="SAMPLE_VAULT_URL needs SAMPLE_VAULT_TOKEN"):
        load(SampleSettings)
    monkeypatch.setenv("SAMPLE_VAULT_TOKEN", "t")
    assert load(SampleSettings).vault_key == "sample"
    monkeypatch.setenv("SAMPLE_PRODUCTION", "false")
    monkeypatch.setenv("SAMPLE_CLOCK_FILE", "/clock")
    with pytest.raises(SettingsError, match="clock that can be turned"):
        load(SampleSettings)
    monkeypatch.delenv("SAMPLE_VAULT_URL")
    with pytest.raises(SettingsError, match="either SAMPLE_MASTER_KEYS or SAMPLE_VAULT_URL"):
        load(SampleSettings)


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "seven"), ("LINK_VALID", "-PT5S"), ("LOG_LEVEL", "loud"), ("LINK_VALID", "hunter3")]
)
def test_a_wrong_value_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SAMPLE_{name}", value)
    with pytest.raises(SettingsError, match=f"SAMPLE_{name}") as refused:
        load(SampleSettings)
    assert value not in str(refused.value)


def test_secrets_stay_out_of_texts() -> None:
    assert "hunter2" not in repr(load(SampleSettings))


def test_production_refuses_a_clock_that_can_be_turned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMPLE_CLOCK_FILE", str(tmp_path / "clock"))
    with pytest.raises(SettingsError, match="SAMPLE_CLOCK_FILE is refused in production"):
        load(SampleSettings)
    monkeypatch.setenv("SAMPLE_PRODUCTION", "false")
    assert load(SampleSettings).clock_file == tmp_path / "clock"


def test_production_has_a_user_at_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "PASSWORD"):
        monkeypatch.delenv(f"SAMPLE_KAFKA_{name}")
    with pytest.raises(SettingsError, match="SAMPLE_KAFKA_USER is needed in production"):
        load(SampleSettings)
    monkeypatch.setenv("SAMPLE_PRODUCTION", "false")
    assert load(SampleSettings).kafka_user == ""


@pytest.mark.parametrize("missing", ["USER", "PASSWORD"])
def test_a_user_at_kafka_has_a_password(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("SAMPLE_PRODUCTION", "false")
    monkeypatch.delenv(f"SAMPLE_KAFKA_{missing}")
    with pytest.raises(SettingsError, match="SAMPLE_KAFKA_USER and SAMPLE_KAFKA_PASSWORD go together"):
        load(SampleSettings)


def test_every_setting_is_described_and_what_is_shown_can_be_read_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert all(field.description for field in SampleSettings.model_fields.values())
    show(SampleSettings)
    lines = [line for line in capsys.readouterr().out.splitlines() if line and not line.startswith("#")]
    for line in lines:
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    assert "SAMPLE_LINK_VALID=P2D" in lines
    assert load(SampleSettings) == SampleSettings()
