from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from db.settings import Settings

pytestmark = pytest.mark.any_version


def test_the_default_is_the_embedded_server() -> None:
    settings = Settings()
    assert settings.database is None
    assert settings.listen_database is None
    assert settings.allowed_origins == {"http://127.0.0.1:8000", "http://localhost:8000"}
    assert settings.public_feed_url == "http://127.0.0.1:8001"


@pytest.mark.parametrize("written", ["postgres://a/b", "postgresql+psycopg://a/b", "postgresql://a/b"])
def test_url_schemes_are_normalized(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("DATABASE_URL", written)
    assert Settings().database == Settings().listen_database == "postgresql://a/b"


@pytest.mark.parametrize("variable", ["PGHOST", "PGSERVICE", "PGDATABASE"])
def test_libpq_variables_replace_a_url(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "x")
    assert Settings().database == "postgresql://"
    assert Settings(database_url="postgresql://a/b").database == "postgresql://a/b"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BOARDCAST_ORIGINS": "https://a.example/, https://b.example",
        "BOARDCAST_CLIENT_BUDGET": "2MiB",
        "BOARDCAST_HEARTBEAT_INTERVAL": "2.5",
        "BOARDCAST_READ_INTERVAL": "",
        "LISTEN_DATABASE_URL": "postgresql://direct/b",
        "DATABASE_URL": "postgresql://pooler/b",
        "LOG_LEVEL": "DEBUG",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.allowed_origins == {"https://a.example", "https://b.example"}
    assert settings.client_budget == 2 * 1024 * 1024
    assert (settings.heartbeat_interval, settings.read_interval, settings.log_level) == (2.5, 1.0, "debug")
    assert (settings.database, settings.listen_database) == ("postgresql://pooler/b", "postgresql://direct/b")


@pytest.mark.parametrize(
    ("host", "api_url"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("board.example", "http://board.example:8000")],
)
def test_the_api_url_is_reachable_for_any_host(host: str, api_url: str) -> None:
    assert Settings(host=host).api_url == api_url
    assert api_url in Settings(host=host).allowed_origins


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://a:hunter2@b/c"),
        ("JWT_SECRET", "hunter2"),
        ("BOARDCAST_API_PORT", "70000"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_an_invalid_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as error:
        Settings()
    assert name.removeprefix("BOARDCAST_").lower() in str(error.value).lower()
    assert "hunter2" not in str(error.value)


def test_passwords_are_not_in_the_repr() -> None:
    settings = Settings(database_url="postgresql://u:hunter2@h/d", jwt_secret="s" * 32)
    assert "hunter2" not in repr(settings)
    assert "ssss" not in repr(settings)


def test_secret_and_key_set_are_mutually_exclusive() -> None:
    with pytest.raises(ValidationError, match="not both"):
        Settings(jwt_secret="s" * 32, jwt_jwks_url="https://issuer.example/jwks")


def test_only_the_demo_creates_a_secret_and_only_once(tmp_path: Path) -> None:
    assert Settings(data_dir=tmp_path).signing_secret() is None
    assert list(tmp_path.iterdir()) == []
    demo = Settings(data_dir=tmp_path / "data", demo=True)
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: demo.signing_secret(), range(32)))
    assert len(secrets) == 1
    secret_file = tmp_path / "data" / "jwt-secret"
    assert secret_file.stat().st_mode & 0o777 == 0o600
    assert list(secret_file.parent.iterdir()) == [secret_file]
    assert Settings(demo=True, jwt_secret="s" * 32).signing_secret() == "s" * 32


def test_origins_are_written_as_browsers_send_them() -> None:
    settings = Settings(origins="https://Board.example:443/, http://a:80, http://a:8080, capacitor://localhost")
    assert settings.origins == ("https://board.example", "http://a", "http://a:8080", "capacitor://localhost")


@pytest.mark.parametrize("origin", ["*", "https://*.example", "board.example", "https://board.example/path", "null"])
def test_invalid_origins_are_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match="must be origins such as"):
        Settings(origins=(origin,))
