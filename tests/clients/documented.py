"""The programs of docs/clients.md as runnable files."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "node_modules"
PAGE = (ROOT / "docs" / "clients.md").read_text()

CURL = "curl"
OWN = "JavaScript: boardcast's own client"
COOKIE = "JavaScript: EventSource on the API's own origin"
TICKET = "JavaScript: EventSource on another origin"
WEBSOCKET = "JavaScript: WebSocket"
WEBSOCKETS = "Python: websockets"
HTTPX = "Python: httpx-sse"
BOARDS = "Python: several boards, from their snapshots"
PROGRAMS = (OWN, COOKIE, TICKET, WEBSOCKET, WEBSOCKETS, HTTPX, BOARDS)

BROWSER = f"""
const {{ EventSource: NpmEventSource }} = await import("{MODULES}/eventsource/dist/index.js");
const {{ default: NpmWebSocket }} = await import("{MODULES}/ws/wrapper.mjs");
globalThis.WebSocket = NpmWebSocket;
globalThis.EventSource = class extends NpmEventSource {{
  constructor(url) {{
    const Cookie = "boardcast_session=TOKEN";
    const withCookie = (to, init) => fetch(to, {{ ...init, headers: {{ ...init.headers, Cookie }} }});
    super(new URL(url, "http://127.0.0.1:8000"), {{ fetch: withCookie }});
  }}
}};
"""
"""What browsers have and Node lacks: EventSource, WebSocket, a page's origin and its session cookie."""


def program(heading: str) -> tuple[str, str]:
    """The language and the text of the program under a heading."""
    match = re.search(rf"^## {re.escape(heading)}$.*?^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert match, heading
    return match[1], match[2]


def write(folder: Path, heading: str, token: str, *, api: str, feed: str, changes: Mapping[str, str]) -> list[str]:
    """Write a program to a file with its token, addresses (`host:port`) and `changes`; return the command that runs it."""
    language, text = program(heading)
    if language == "js":
        text = BROWSER.replace("TOKEN", token) + text
    if heading == COOKIE:
        text += 'follow("");\n'
    for old, new in {'"…"': f'"{token}"', **changes}.items():
        assert old in text or heading == COOKIE, f"no {old} in {heading}"
        text = text.replace(old, new)
    text = text.replace("127.0.0.1:8000", api).replace("127.0.0.1:8001", feed)
    text = text.replace('"@boardcast/client"', f'"{client(folder)}"')
    source = folder / (re.sub(r"\W+", "-", heading) + (".mjs" if language == "js" else ".py"))
    source.write_text(text)
    return [(shutil.which("node") or "node") if language == "js" else sys.executable, str(source)]


@contextmanager
def running(command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Run a program; yield the file with its output."""
    output = Path(command[-1]).with_suffix(".out")
    with output.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        yield output
        assert process.poll() is None, output.read_text()
    finally:
        process.kill()
        process.wait()


def client(folder: Path) -> Path:
    """Bundle web/client into one file."""
    target = folder / "client.mjs"
    if not target.exists():
        source = ROOT / "web" / "client" / "src" / "index.ts"
        command: list[str | Path] = [MODULES / ".bin" / "esbuild", source, "--bundle", "--format=esm"]
        subprocess.run([*command, "--log-level=warning", f"--outfile={target}"], check=True)
    return target
