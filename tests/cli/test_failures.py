"""What cannot work says so in one line, with a status that tells a supervisor what kind of trouble it is."""

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
    status, said = commands.fails(*arguments)
    assert (status, "\n" in said) == (USAGE, False)


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
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(commands: Commands, variable: str, value: str) -> None:
    status, said = commands.fails("up", **{variable: value})
    assert status == USAGE
    assert said.startswith(variable)
    assert "hunter2" not in said


def test_all_wrong_settings_are_named_at_once(commands: Commands) -> None:
    status, said = commands.fails("up", BOARDCAST_CHUNK_ROWS="x", LOG_FORMAT="y")
    assert status == USAGE
    assert "BOARDCAST_CHUNK_ROWS: " in said
    assert "LOG_FORMAT: " in said


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_alone_wants_a_database_that_is_named(commands: Commands, service: str) -> None:
    status, said = commands.fails(service, **WITH_SECRET)
    assert (status, "set DATABASE_URL" in said) == (USAGE, True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_alone_wants_to_know_whom_to_trust(commands: Commands, database: Database, service: str) -> None:
    status, said = commands.fails(service, DATABASE_URL=database.url)
    assert (status, said) == (
        USAGE,
        "tokens cannot be verified: set JWT_SECRET or JWT_JWKS_URL",
    )
    assert not list(commands.folder.iterdir())


def test_up_without_the_demo_wants_to_know_whom_to_trust(commands: Commands) -> None:
    status, said = commands.fails("up", "--no-demo")
    assert (status, "JWT_SECRET" in said) == (USAGE, True)


@pytest.mark.parametrize("command", [*SERVICES, "up", "migrate"])
def test_a_database_that_is_not_there(commands: Commands, command: str) -> None:
    url = f"postgresql://u:hunter2@127.0.0.1:{loopback.free_port()}/d"
    status, said = commands.fails(command, **WITH_SECRET, DATABASE_URL=url)
    assert (status, "Connection refused" in said) == (DATABASE, True)
    assert "hunter2" not in said


@pytest.mark.parametrize("command", [*SERVICES, "up", "migrate"])
def test_a_wrong_password(commands: Commands, database: Database, command: str) -> None:
    url = urlsplit(database.url)
    wrong = urlunsplit(url._replace(netloc=f"{url.username}:hunter2@{url.hostname}:{url.port}"))
    status, said = commands.fails(command, **WITH_SECRET, DATABASE_URL=wrong)
    assert (status, "password authentication failed" in said) == (DATABASE, True)
    assert "hunter2" not in said


@pytest.mark.parametrize("service", SERVICES)
def test_a_database_without_boardcast(commands: Commands, empty_database: Database, service: str) -> None:
    status, said = commands.fails(service, **WITH_SECRET, DATABASE_URL=empty_database.url)
    assert (status, "boardcast migrate" in said) == (DATABASE, True)


@pytest.mark.parametrize("arguments", [["attach", "users"], ["prune", "--older-than", "30d"], ["reset-feed"]])
def test_the_commands_want_boardcast_installed_too(
    commands: Commands, empty_database: Database, arguments: list[str]
) -> None:
    status, said = commands.fails(*arguments, DATABASE_URL=empty_database.url)
    assert (status, "boardcast migrate" in said) == (DATABASE, True)


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False


@pytest.fixture
async def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> AsyncIterator[str]:
    """The address of a server that only follows another."""
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
        status, said = commands.fails(service, **WITH_SECRET, DATABASE_URL=standby)
        assert (status, "standby" in said) == (DATABASE, True)


@pytest.mark.parametrize("service", SERVICES)
def test_a_connection_that_cannot_listen(production: Commands, other_database: Database, service: str) -> None:
    # What a transaction pooler looks like from here: LISTEN succeeds, and nothing is ever heard.
    status, said = production.fails(service, LISTEN_DATABASE_URL=other_database.url)
    assert (status, "LISTEN_DATABASE_URL" in said) == (DATABASE, True)


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


def test_an_address_that_is_not_ours(production: Commands) -> None:
    status, said = production.fails("feed", BOARDCAST_HOST="192.0.2.1")
    assert (status, "192.0.2.1" in said) == (UNAVAILABLE, True)


def test_a_data_directory_that_cannot_be_made(commands: Commands) -> None:
    (commands.folder / "file").write_text("")
    status, said = commands.fails("up", BOARDCAST_DATA_DIR="file/data")
    assert (status, "file" in said) == (UNAVAILABLE, True)


def test_nothing_runs_whose_address_could_be_printed(commands: Commands) -> None:
    status, said = commands.fails("database")
    assert (status, "boardcast up" in said) == (DATABASE, True)


def test_tables_that_cannot_be_fed(production: Commands) -> None:
    status, said = production.fails("attach", "nowhere")
    assert (status, '"nowhere"' in said) == (DATABASE, True)
    status, said = production.fails("attach", "users", "--board", "nothing")
    assert (status, "has no column nothing" in said) == (DATABASE, True)
    status, said = production.fails("attach", "opportunity_versions")
    assert said.startswith(
        "database error: public.opportunity_versions is a view, not a table (Attach the tables that it reads"
    )
    status, said = production.fails("attach", "user_presence", "--json")
    assert "table public.user_presence is unlogged" in said
    status, said = production.fails("attach", "feed.log")
    assert "feed.log belongs to the feed itself" in said
    status, said = production.fails("detach", "users")
    assert (status, "table public.users is not attached" in said) == (DATABASE, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "ana", "--ttl", "soon"],
        ["prune", "--older-than", "long ago"],
        ["prune", "--older-than", "999999999d"],
    ],
)
def test_times_that_are_none(production: Commands, arguments: list[str]) -> None:
    status, said = production.fails(*arguments)
    assert (status, "such as" in said) == (USAGE, True)


@pytest.fixture
def few_rights(database: Database) -> Iterator[Callable[..., str]]:
    """Makes a role in some groups; the database's address for it."""
    name = f"few_{database.name}"
    with psycopg.connect(database.url, autocommit=True) as conn:

        def make(*groups: str) -> str:
            conn.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(Identifier(name)))
            for group in groups:
                conn.execute(SQL("GRANT {} TO {}").format(Identifier(group), Identifier(name)))
            return f"postgresql://{name}:x@{database.url.rpartition('@')[2]}"

        yield make
        conn.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@pytest.mark.parametrize("groups", [(), ("feed_dba",), ("feed_listener",)], ids=["none", "to look", "of the feed"])
def test_a_service_whose_role_lacks_a_right_does_not_start(
    production: Commands, few_rights: Callable[..., str], groups: tuple[str, ...]
) -> None:
    url = few_rights(*groups)
    for service, group in (("feed", "feed_listener"), ("api", "feed_app")):
        if group not in groups:
            status, said = production.fails(service, DATABASE_URL=url)
            assert (status, f"may not run boardcast {service}: it lacks " in said) == (DATABASE, True), said
            assert said.endswith(f'(GRANT {group} TO "{urlsplit(url).username}";)')
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
        ["detach", "boards"],
        ["prune", "--older-than", "1d"],
        ["retain", "30d"],
        ["reset-feed"],
        ["migrate"],
        ["migrate", "--down"],
    ],
    ids=" ".join,
)
def test_a_role_without_rights_is_told_in_a_line(
    commands: Commands, few_rights: Callable[..., str], arguments: list[str]
) -> None:
    status, said = commands.fails(*arguments, DATABASE_URL=few_rights())
    assert (status, "permission denied" in said, "feed_dba" in said) == (DATABASE, True, True), said


def test_only_the_issuer_makes_its_tokens(commands: Commands) -> None:
    status, said = commands.fails("token", "ana", JWT_JWKS_URL="http://127.0.0.1:1/jwks")
    assert (status, "issuer" in said) == (USAGE, True)
