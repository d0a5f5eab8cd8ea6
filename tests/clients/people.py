"""Simulated users who make random changes on one board, and the results that each of them gets."""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.clients.boards import PHASES, Client
from tests.support.proxy import Proxy

TEXTS = ("title", "company", "contact")
FINAL = {"saved", "gone", "rejected"}


@dataclass
class Edit:
    """A mutation, and the previous values that its author saw each time they set a field."""

    card: str
    seen: dict[str, list[Any]] = field(default_factory=dict)


class Person:
    def __init__(self, client: Client, proxies: list[Proxy], rng: random.Random) -> None:
        self.client = client
        self.proxies = proxies
        self.edits: dict[str, Edit] = {}
        self.other_mutations: set[str] = set()
        """Mutations that do not edit fields."""
        self.created: set[str] = set()
        self.contested: set[str] = set()
        """Cards with a conflict or a rejected write of this person."""
        self.undone: set[str] = set()
        self.typed: dict[str, Any] = {}
        """Texts typed in a panel, with the value shown before each. A later edit may be sent together with them."""
        self.offline = False
        self._removed: dict[str, str] = {}
        self._rng = rng
        self._texts = 0

    async def act(self) -> None:
        """Do one random thing that a user could do now."""
        state = await self.client.state()
        await self.resolve(state, ignore=0.3)
        ids = list(state["opportunities"])
        if not ids or (len(ids) < 8 and self._rng.random() < 0.2):
            await self._create()
            return
        card = self._rng.choice(ids)
        act = self._rng.choices(
            [self._edit, self._note, self._move, self._remove, self._undo, self._restore, self._edit_in_panel],
            weights=[8, 4, 8, 1.5, 1.5, 1, 3],
        )[0]
        await act(card, state)

    async def resolve(self, state: dict[str, Any], ignore: float = 0.0) -> None:
        """Resolve conflicts (leaving a share of them for later) and handle rejected writes."""
        for id_, conflict in state["conflicts"].items():
            self.contested.add(id_)
            if self._rng.random() >= ignore:
                await self.client.call("resolve", id_, self._decision(conflict))
        for rejected in state["rejectedWrites"]:
            self.contested.add(rejected["opportunityId"])
            if self._rng.random() < 0.3 and rejected["kind"] != "remove":
                self.created.add(await self.client.call("retry", rejected["id"]))
            else:
                await self.client.call("discard", rejected["id"])

    def text(self) -> str:
        self._texts += 1
        return f"{self.client.name} {self._texts}"

    def _decision(self, conflict: dict[str, Any]) -> dict[str, Any]:
        resolution = self._rng.choice(["client", "server", "merge"])
        if resolution != "merge":
            return {"resolution": resolution}
        return {
            "resolution": "merge",
            "data": {
                name: self.text() if name in TEXTS else conflict[self._rng.choice(["mine", "theirs"])][name]
                for name in conflict["fields"]
            },
        }

    async def _create(self) -> None:
        phase = self._rng.choice(PHASES)
        self.created.add(
            await self.client.call("create", {"title": self.text(), "phase": phase, "notes": "one\ntwo\nthree"})
        )

    async def _change(self, id_: str, changes: dict[str, Any]) -> None:
        written = await self.client.write("update", id_, changes)
        if written is not None:
            edit = self.edits.setdefault(written["mutation"], Edit(id_))
            for name in changes:
                edit.seen.setdefault(name, []).append(written["seen"][name])

    async def _edit(self, id_: str, _: dict[str, Any]) -> None:
        names = self._rng.sample(TEXTS, self._rng.choice([1, 1, 2]))
        await self._change(id_, {name: self.text() for name in names})

    async def _note(self, id_: str, state: dict[str, Any]) -> None:
        lines = (state["opportunities"][id_]["notes"] or "").split("\n")
        lines[self._rng.randrange(len(lines))] = self.text()
        await self._change(id_, {"notes": "\n".join(lines)})

    async def _move(self, id_: str, state: dict[str, Any]) -> None:
        phase = self._rng.choice(PHASES)
        column = [card["id"] for card in state["columns"].get(phase, []) if card["id"] != id_]
        place = self._rng.randint(0, len(column))
        above = column[place - 1] if place else None
        below = column[place] if place < len(column) else None
        written = await self.client.write("move", id_, phase, above, below)
        if written is not None:
            self.other_mutations.add(written["mutation"])

    async def _remove(self, id_: str, _: dict[str, Any]) -> None:
        written = await self.client.write("remove", id_)
        if written is not None:
            self._removed[id_] = written["mutation"]
            self.other_mutations.add(written["mutation"])

    async def _undo(self, _: str, state: dict[str, Any]) -> None:
        gone = [id_ for id_ in self._removed if id_ not in state["opportunities"]]
        if gone:
            id_ = self._rng.choice(gone)
            self.undone.add(self._removed.pop(id_))
            await self.client.call("undoRemove", id_)

    async def _restore(self, id_: str, state: dict[str, Any]) -> None:
        version = state["opportunities"][id_]["version_number"]
        if version > 1:
            self.other_mutations.add(await self.client.call("restore", id_, self._rng.randint(1, version - 1)))
            self.contested.add(id_)

    async def _edit_in_panel(self, id_: str, _: dict[str, Any]) -> None:
        """Type slowly enough for other changes to arrive in between, and save."""
        if not await self.client.edit(id_):
            return
        base = (await self.client.editor("getState"))["base"]
        for name in self._rng.sample(TEXTS, 2):
            text = self.text()
            self.typed[text] = base[name]
            await self.client.editor("set", name, text)
        # An offline page reports "queued" at once; the final result follows, as for every mutation.
        assert await self.client.editor("save") in {"saved", "queued", "conflict", "gone", "rejected"}
        await self.client.editor("close")
