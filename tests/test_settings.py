from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import CliApp

from engine.settings import Settings


def test_defaults_listen_on_loopback_and_choose_the_model_automatically() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.model) == ("127.0.0.1", 8000, "auto")
    assert (settings.device, settings.dtype, settings.offload) == ("auto", "auto", False)


def test_environment_overrides_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORYREEL_PORT", "9001")
    monkeypatch.setenv("STORYREEL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STORYREEL_OFFLOAD", "true")
    settings = Settings()
    assert (settings.port, settings.data_dir, settings.offload) == (9001, tmp_path, True)


def test_arguments_override_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORYREEL_MODEL", "bundled")
    assert Settings.model_validate({"model": "auto"}).model == "auto"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "changes",
    [
        {"port": -1},
        {"port": 65536},
        {"device": "tpu"},
        {"dtype": "int8"},
        {"max_queue": 0},
        {"keep_days": 0},
        {"keep_gb": -1},
        {"log_level": "chatty"},
        {"modle": "auto"},
    ],
)
def test_bad_settings_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(changes)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_known_by_its_names(host: str, loopback: bool) -> None:
    settings = Settings.model_validate({"host": host, "auth": False})
    assert settings.listens_on_loopback is loopback


def test_nobody_is_let_in_by_oversight(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="--api-key"):
        Settings.model_validate({"host": "0.0.0.0"})
    file = tmp_path / "keys"
    file.write_text("# the team's\n\nfile-key-1234\n")
    settings = Settings.model_validate(
        {"host": "0.0.0.0", "api_key": ["argument-key"], "api_key_file": file}
    )
    assert settings.keys() == ["argument-key", "file-key-1234"]
    assert "argument-key" not in repr(settings)


@pytest.mark.parametrize("keys", ["", "# nothing\n", "short\n"])
def test_a_key_file_without_a_good_key_is_refused(tmp_path: Path, keys: str) -> None:
    file = tmp_path / "keys"
    file.write_text(keys)
    with pytest.raises(ValidationError, match="--api-key-file"):
        Settings.model_validate({"api_key_file": file})
    with pytest.raises(ValidationError, match="cannot be read"):
        Settings.model_validate({"api_key_file": tmp_path / "nowhere"})


def test_keys_come_from_the_command_line_many_at_a_time() -> None:
    arguments = ["--api-key", "first-key-1", "--api-key", "second-key,third-key-3"]
    settings = CliApp.run(Settings, cli_args=[*arguments, "--no-auth"])
    assert settings.keys() == ["first-key-1", "second-key", "third-key-3"]
    assert not settings.auth
    with pytest.raises(ValidationError, match="at least 8"):
        CliApp.run(Settings, cli_args=["--api-key", "short"])


def test_every_setting_is_described() -> None:
    assert [n for n, field in Settings.model_fields.items() if not field.description] == []


def test_lists_come_from_the_environment_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORYREEL_ALLOWED_HOSTS", "example.com, foo")
    monkeypatch.setenv("STORYREEL_CORS_ORIGINS", "http://a.example")
    settings = Settings()
    assert settings.allowed_hosts == ["example.com", "foo"]
    assert settings.cors_origins == ["http://a.example"]
