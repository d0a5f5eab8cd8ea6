"""The package that `npm pack` builds from web/client: small, and usable by an independent program."""

import gzip
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "web" / "client"
BIN = ROOT / "node_modules" / ".bin"
LIMIT = 12 * 1024
CONSUMER = """
import { Feed, ProblemError, type Delivery, type FeedStatus, type Session } from "@boardcast/client";
import { BoardStore } from "@boardcast/client/store";

const session = async (): Promise<Session> => ({ token: "t", userId: "ana", expires: Date.now() + 1000 });
const feed = new Feed({ api: "http://api.example", feed: null, session, share: "ana", timing: { poll: 5000 } });
const titles: string[] = [];
feed.onDelivery(({ messages }: Delivery) => {
  for (const message of messages) {
    if (message.type === "opportunity_created") titles.push(message.opportunity.title);
    if (message.type === "opportunity_moved") titles.push(`${message.fromPhase} ${message.toPhase}`);
  }
});
feed.onStatus(({ state, latency }: FeedStatus) => titles.push(state === "live" ? `${latency ?? 0} ms` : state));
feed.follow("cursor", "b1").catch((error: unknown) => error instanceof ProblemError && error.type === "cursor-reset");
feed.send({ type: "user_editing", opportunityId: "o1", baseVersion: 3 });
const store = new BoardStore({ source: feed, http: feed.http, board: "b1", userId: "ana" });
store.subscribe(() => titles.push(...[...store.getState().opportunities.values()].map(({ title }) => title)));
"""
MISTAKE = 'import { Feed } from "@boardcast/client";\nnew Feed({}).send({ type: "user_editing" });\n'


@pytest.fixture(scope="module")
def project(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with only this package installed."""
    folder = tmp_path_factory.mktemp("project")
    npm = shutil.which("npm")
    assert npm, "needs npm, as `make setup` does"
    subprocess.run([npm, "pack", "--silent", "--pack-destination", folder], cwd=CLIENT, check=True)
    (tarball,) = folder.glob("*.tgz")
    installed = folder / "node_modules" / "@boardcast" / "client"
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
    installed.parent.mkdir(parents=True)
    (folder / "package").rename(installed)
    (folder / "package.json").write_text('{"type": "module"}')
    options = {"strict": True, "noEmit": True, "target": "es2022", "module": "nodenext", "lib": ["es2022", "dom"]}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options | {"types": []}, "include": ["*.ts"]}))
    return folder


def test_it_contains_the_files_of_its_exports(project: Path) -> None:
    installed = project / "node_modules" / "@boardcast" / "client"
    manifest = json.loads((installed / "package.json").read_text())
    for entry in manifest["exports"].values():
        for file in entry.values():
            assert (installed / file).is_file(), file
    assert {path.name for path in installed.iterdir()} == {"dist", "README.md", "LICENSE", "package.json"}
    assert "dependencies" not in manifest


def test_its_types_compile_in_a_strict_program(project: Path) -> None:
    (project / "consumer.ts").write_text(CONSUMER)
    done = subprocess.run([BIN / "tsc", "-p", project], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    (project / "mistake.ts").write_text(MISTAKE)
    done = subprocess.run([BIN / "tsc", "-p", project], check=False, capture_output=True, text=True)
    (project / "mistake.ts").unlink()
    assert "opportunityId" in done.stdout


@pytest.mark.parametrize("entry", ["@boardcast/client", "@boardcast/client/store"])
def test_the_bundle_is_small(project: Path, entry: str) -> None:
    (project / "page.js").write_text(f'export * from "{entry}";')
    command: list[str | Path] = [BIN / "esbuild", "page.js", "--bundle", "--minify", "--format=esm"]
    code = subprocess.run(command, cwd=project, check=True, capture_output=True).stdout
    size = len(gzip.compress(code, 9))
    print(f"{entry}: {size} bytes")  # noqa: T201 - prints the measured size
    assert size < LIMIT


def test_it_can_be_imported_outside_a_browser(project: Path, node: str) -> None:
    program = 'import { Feed } from "@boardcast/client"; console.log(new Feed().status.state);'
    command = [node, "--input-type=module", "-e", program]
    done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    assert done.stdout == "idle\n"
