"""Failures print one line and exit with a status that identifies the kind of failure."""

import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from cli.failures import DATABASE, UNAVAILABLE, USAGE
from db.embedded import cluster, loopback
from db.embedded.account import Account
from db.embedded.binaries import find_binaries, runnable_binaries
from db.embedded.server import EmbeddedPostgres
from tests.cli.harness import SECRET, Commands
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.until import until

SERVICES = ("feed", "api")
WITH_SECRET = {"JWT_SECRET": SECRET}


@pytest.mark.parametrize("arguments", [["nonsense"], ["up", "--nonsense"], ["token"], ["prune"]])
def test_usage(commands: Commands, arguments: list[str]) -> None:
    status, message = commands.fails(*arguments)
    assert (status, "\n" in message) == (USAGE, False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@h/d"),
        ("DATABASE_URL", "postgresql://u:hunter2%zz@h/d"),
        ("LISTEN_DATABASE_URL", "postgresql://u:hunter2%zz@h/d"),
        ("BOARDCAST_API_PORT", "hunter2"),
        ("BOARDCAST_HEARTBEAT_INTERVAL", "0"),
        ("JWT_SECRET", "hunter2"),
        ("LOG_LEVEL", "hunter2"),
    ],
)
def test_an_invalid_setting_is_named_without_its_value(commands: Commands, variable: str, value: str) -> None:
    status, message = commands.fails("up", **{variable: value})
    assert status == USAGE
    assert message.startswith(variable)
    assert "hunter2" not in message


def test_all_invalid_settings_are_named_at_once(commands: Commands) -> None:
    status, message = commands.fails("up", BOARDCAST_CHUNK_ROWS="x", LOG_FORMAT="y")
    assert status == USAGE
    assert "BOARDCAST_CHUNK_ROWS: " in message
    assert "LOG_FORMAT: " in message


@pytest.mark.parametrize("service", SERVICES)
def test_a_single_service_requires_a_database_url(commands: Commands, service: str) -> None:
    status, message = commands.fails(service, **WITH_SECRET)
    assert (status, "set DATABASE_URL" in message) == (USAGE, True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_single_service_requires_a_way_to_verify_tokens(commands: Commands, database: Database, service: str) -> None:
    status, message = commands.fails(service, DATABASE_URL=database.url)
    assert (status, message) == (
        USAGE,
        "tokens cannot be verified: set JWT_SECRET or JWT_JWKS_URL",
    )
    assert not list(commands.folder.iterdir())


def test_up_without_the_demo_requires_a_way_to_verify_tokens(commands: Commands) -> None:
    status, message = commands.fails("up", "--no-demo")
    assert (status, "JWT_SECRET" in message) == (USAGE, True)


@pytest.mark.parametrize("command", [*SERVICES, "up", "migrate"])
def test_an_unreachable_database(commands: Commands, command: str) -> None:
    url = f"postgresql://u:hunter2@127.0.0.1:{loopback.free_port()}/d"
    status, message = commands.fails(command, **WITH_SECRET, DATABASE_URL=url)
    assert (status, "Connection refused" in message) == (DATABASE, True)
    assert "hunter2" not in message


@pytest.mark.parametrize("command", [*SERVICES, "up", "migrate"])
def test_a_wrong_password(commands: Commands, database: Database, command: str) -> None:
    url = urlsplit(database.url)
    wrong = urlunsplit(url._replace(netloc=f"{url.username}:hunter2@{url.hostname}:{url.port}"))
    status, message = commands.fails(command, **WITH_SECRET, DATABASE_URL=wrong)
    assert (status, "password authentication failed" in message) == (DATABASE, True)
    assert "hunter2" not in message


@pytest.mark.parametrize("service", SERVICES)
def test_a_database_without_boardcast(commands: Commands, empty_database: Database, service: str) -> None:
    status, message = commands.fails(service, **WITH_SECRET, DATABASE_URL=empty_database.url)
    assert (status, "boardcast migrate" in message) == (DATABASE, True)


@pytest.mark.parametrize("arguments", [["attach", "users"], ["prune", "--older-than", "30d"], ["reset-feed"]])
def test_commands_require_an_installed_schema(
    commands: Commands, empty_database: Database, arguments: list[str]
) -> None:
    status, message = commands.fails(*arguments, DATABASE_URL=empty_database.url)
    assert (status, "boardcast migrate" in message) == (DATABASE, True)


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False


@pytest.fixture
async def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> AsyncIterator[str]:
    """The URL of a server in recovery."""
    own_server.stop()
    data = own_server.home / "data"
    (data / "standby.signal").touch()
    account = Account.choose()
    settings = SERVER_SETTINGS | {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    options = [f"--port={own_server.port}", *(f"--{name}={value}" for name, value in settings.items())]
    program = runnable_binaries(binaries or find_binaries(), account) / "postgres"
    process = account.spawn([program, "-D", data, *options], output=subprocess.DEVNULL, env=cluster.environment())
    try:
        await until(lambda: _answers(own_server.url()), timeout=20)
        yield own_server.url()
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)


def test_a_standby(commands: Commands, standby: str) -> None:
    for service in SERVICES:
        status, message = commands.fails(service, **WITH_SECRET, DATABASE_URL=standby)
        assert (status, "standby" in message) == (DATABASE, True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_connection_that_cannot_listen(production: Commands, other_database: Database, service: str) -> None:
    # A transaction pooler looks like this: LISTEN succeeds, and no notification ever arrives.
    status, message = production.fails(service, LISTEN_DATABASE_URL=other_database.url)
    assert (status, "LISTEN_DATABASE_URL" in message) == (DATABASE, True)


@pytest.mark.parametrize(("service", "variable"), [("api", "BOARDCAST_API_PORT"), ("feed", "BOARDCAST_FEED_PORT")])
def test_a_port_in_use(production: Commands, service: str, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert production.fails(service, **{variable: port}) == (
            UNAVAILABLE,
            f"port {port} of 127.0.0.1 is in use: set {variable}",
        )
        assert production.fails("up", **{variable: port}) == (
            UNAVAILABLE,
            f"port {port} of 127.0.0.1 is in use: set {variable}",
        )


def test_an_address_of_another_machine(production: Commands) -> None:
    status, message = production.fails("feed", BOARDCAST_HOST="192.0.2.1")
    assert (status, "192.0.2.1" in message) == (UNAVAILABLE, True)


def test_a_data_directory_that_cannot_be_created(commands: Commands) -> None:
    (commands.folder / "file").write_text("")
    status, message = commands.fails("up", BOARDCAST_DATA_DIR="file/data")
    assert (status, "file" in message) == (UNAVAILABLE, True)


def test_the_database_command_without_a_running_server(commands: Commands) -> None:
    status, message = commands.fails("database")
    assert (status, "boardcast up" in message) == (DATABASE, True)


def test_tables_that_cannot_be_attached(production: Commands) -> None:
    status, message = production.fails("attach", "nowhere")
    assert (status, '"nowhere"' in message) == (DATABASE, True)
    status, message = production.fails("attach", "users", "--board", "nothing")
    assert (status, "has no column nothing" in message) == (DATABASE, True)
    status, message = production.fails("attach", "opportunity_versions")
    assert message.startswith(
        "database error: public.opportunity_versions is a view, not a table (Attach the tables that it reads"
    )
    for table in ("feed.user_presence", "feed.log"):
        status, message = production.fails("attach", table, "--json")
        assert f"{table} belongs to the feed itself" in message
    status, message = production.fails("detach", "users")
    assert (status, "table public.users is not attached" in message) == (DATABASE, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "ana", "--ttl", "soon"],
        ["prune", "--older-than", "long ago"],
        ["prune", "--older-than", "999999999d"],
    ],
)
def test_invalid_durations(production: Commands, arguments: list[str]) -> None:
    status, message = production.fails(*arguments)
    assert (status, "such as" in message) == (USAGE, True)


@pytest.fixture
def limited_role(database: Database) -> Iterator[Callable[..., str]]:
    """A function that creates a login role in some groups and returns the database's URL for it."""
    name = f"few_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as conn:

        def create(*groups: str) -> str:
            conn.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(Identifier(name)))
            for group in groups:
                conn.execute(SQL("GRANT {} TO {}").format(Identifier(group), Identifier(name)))
            return f"postgresql://{name}:x@{database.url.rpartition('@')[2]}"

        yield create
        conn.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@pytest.mark.parametrize("groups", [(), ("feed_dba",), ("feed_listener",)], ids=["none", "feed_dba", "feed_listener"])
def test_a_service_does_not_start_without_its_privileges(
    production: Commands, limited_role: Callable[..., str], groups: tuple[str, ...]
) -> None:
    url = limited_role(*groups)
    for service, group in (("feed", "feed_listener"), ("api", "feed_app")):
        if group not in groups:
            status, message = production.fails(service, DATABASE_URL=url)
            assert (status, f"may not run boardcast {service}: it lacks " in message) == (DATABASE, True), message
            assert message.endswith(f'(GRANT {group} TO "{urlsplit(url).username}";)')
        else:
            with production.serving(service, DATABASE_URL=url) as running:
                assert "permission denied" not in running.log.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["log"],
        ["explain", "1"],
        ["verify"],
        ["attach", "users"],
        ["detach", "feed.boards"],
        ["prune", "--older-than", "1d"],
        ["retain", "30d"],
        ["reset-feed"],
        ["migrate"],
        ["migrate", "--down"],
    ],
    ids=" ".join,
)
def test_a_role_without_privileges_gets_a_one_line_error(
    commands: Commands, limited_role: Callable[..., str], arguments: list[str]
) -> None:
    status, message = commands.fails(*arguments, DATABASE_URL=limited_role())
    assert (status, "permission denied" in message, "feed_dba" in message) == (DATABASE, True, True), message


def test_token_is_refused_with_an_external_issuer(commands: Commands) -> None:
    status, message = commands.fails("token", "ana", JWT_JWKS_URL="http://127.0.0.1:1/jwks")
    assert (status, "issuer" in message) == (USAGE, True)
