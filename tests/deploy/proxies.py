"""The proxies that `deploy` has a configuration for, run with the addresses of a test.

Only addresses and paths are replaced, and each must occur in the file, so changed defaults fail here.
"""

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"

FEEDS = ("127.0.0.1:8011", "127.0.0.1:8012")
APIS = ("127.0.0.1:8021", "127.0.0.1:8022")
"""The instances that nginx.conf and haproxy.cfg list."""


@dataclass(frozen=True)
class Addresses:
    """The proxy's port and two instances of each service."""

    port: int
    feeds: Sequence[str]
    apis: Sequence[str]


@dataclass(frozen=True)
class Command:
    arguments: list[str | Path]
    env: dict[str, str]


def caddy(folder: Path, addresses: Addresses) -> Command:
    """The Caddyfile reads its addresses from the environment."""
    program = Path(sys.executable).with_name("caddy")
    env = {
        "HOME": str(folder),
        "ADMIN_ADDRESS": "off",
        "SITE_ADDRESS": f"http://127.0.0.1:{addresses.port}",
        "FEED_UPSTREAMS": " ".join(addresses.feeds),
        "API_UPSTREAMS": " ".join(addresses.apis),
    }
    return Command([program, "run", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"], env)


def nginx(folder: Path, addresses: Addresses) -> Command:
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # Debian's are accessible to root only
    configuration = _configuration(
        folder,
        "nginx.conf",
        {
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "/var/log/nginx/": f"{folder}/",
            "http {\n": "http {\n" + "".join(f"{path}_temp_path {folder}/{path};\n" for path in paths),
            "listen 80;": f"listen 127.0.0.1:{addresses.port};",
            "listen [::]:80;": "",
        }
        | _instances(addresses),
    )
    return Command([_find("nginx"), "-p", folder, "-c", configuration, "-g", "daemon off;"], {})


def haproxy(folder: Path, addresses: Addresses) -> Command:
    account = {} if os.geteuid() == 0 else {"    user haproxy\n": "", "    group haproxy\n": ""}
    configuration = _configuration(
        folder,
        "haproxy.cfg",
        {"bind :80\n": f"bind 127.0.0.1:{addresses.port}\n"} | account | _instances(addresses),
    )
    return Command([_find("haproxy"), "-db", "-f", configuration], {})


Proxy = Callable[[Path, Addresses], Command]
PROXIES: tuple[Proxy, ...] = (caddy, haproxy, nginx)


def _find(name: str) -> str:
    program = shutil.which(name, path=PATH)
    assert program, f"this needs {name}: `make test` installs it on Debian, as root"
    return program


def _instances(addresses: Addresses) -> dict[str, str]:
    return dict(zip([*FEEDS, *APIS], [*addresses.feeds, *addresses.apis], strict=True))


def _configuration(folder: Path, name: str, changes: dict[str, str]) -> Path:
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    file = folder / name
    file.write_text(text)
    return file
