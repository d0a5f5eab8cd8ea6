"""People who work on one board at random, and the results that each of them was shown."""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.clients.boards import PHASES, Client
from tests.support.proxy import Proxy

TEXTS = ("title", "company", "contact")
FINAL = {"saved", "gone", "rejected"}


@dataclass
class Edit:
    """A mutation: the values of the fields as its author saw them, each time they set one."""

    card: str
    seen: dict[str, list[Any]] = field(default_factory=dict)


class Person:
    def __init__(self, client: Client, proxies: list[Proxy], chance: random.Random) -> None:
        self.client = client
        self.proxies = proxies
        self.edits: dict[str, Edit] = {}
        self.others: set[str] = set()
        """Mutations that are no edits of fields."""
        self.made: set[str] = set()
        self.asked: set[str] = set()
        """Cards with a conflict for this person, or that were gone when they edited them."""
        self.taken_back: set[str] = set()
        self.typed: dict[str, Any] = {}
        """What they typed in a panel, and what they saw there before. A later edit may be sent together with it."""
        self.away = False
        self._removed: dict[str, str] = {}
        self._chance = chance
        self._words = 0

    async def act(self) -> None:
        """Do one thing that a person could do now."""
        state = await self.client.state()
        await self.answer(state, patience=0.3)
        ids = list(state["opportunities"])
        if not ids or (len(ids) < 8 and self._chance.random() < 0.2):
            await self._make()
            return
        card = self._chance.choice(ids)
        act = self._chance.choices(
            [self._edit, self._note, self._move, self._remove, self._undo, self._restore, self._edit_in_panel],
            weights=[8, 4, 8, 1.5, 1.5, 1, 3],
        )[0]
        await act(card, state)

    async def answer(self, state: dict[str, Any], patience: float = 0.0) -> None:
        """Decide conflicts, and handle rejected writes."""
        for id_, conflict in state["conflicts"].items():
            self.asked.add(id_)
            if self._chance.random() >= patience:
                await self.client.call("resolve", id_, self._decision(conflict))
        for rejected in state["rejectedWrites"]:
            self.asked.add(rejected["opportunityId"])
            if self._chance.random() < 0.3 and rejected["kind"] != "remove":
                self.made.add(await self.client.call("retry", rejected["id"]))
            else:
                await self.client.call("discard", rejected["id"])

    def word(self) -> str:
        self._words += 1
        return f"{self.client.name} {self._words}"

    def _decision(self, conflict: dict[str, Any]) -> dict[str, Any]:
        which = self._chance.choice(["client", "server", "merge"])
        if which != "merge":
            return {"resolution": which}
        return {
            "resolution": "merge",
            "data": {
                name: self.word() if name in TEXTS else conflict[self._chance.choice(["mine", "theirs"])][name]
                for name in conflict["fields"]
            },
        }

    async def _make(self) -> None:
        phase = self._chance.choice(PHASES)
        self.made.add(
            await self.client.call("create", {"title": self.word(), "phase": phase, "notes": "one\ntwo\nthree"})
        )

    async def _change(self, id_: str, changes: dict[str, Any]) -> None:
        made = await self.client.write("update", id_, changes)
        if made is not None:
            edit = self.edits.setdefault(made["mutation"], Edit(id_))
            for name in changes:
                edit.seen.setdefault(name, []).append(made["seen"][name])

    async def _edit(self, id_: str, _: dict[str, Any]) -> None:
        names = self._chance.sample(TEXTS, self._chance.choice([1, 1, 2]))
        await self._change(id_, {name: self.word() for name in names})

    async def _note(self, id_: str, state: dict[str, Any]) -> None:
        lines = (state["opportunities"][id_]["notes"] or "").split("\n")
        lines[self._chance.randrange(len(lines))] = self.word()
        await self._change(id_, {"notes": "\n".join(lines)})

    async def _move(self, id_: str, state: dict[str, Any]) -> None:
        phase = self._chance.choice(PHASES)
        column = [card["id"] for card in state["columns"].get(phase, []) if card["id"] != id_]
        place = self._chance.randint(0, len(column))
        above = column[place - 1] if place else None
        below = column[place] if place < len(column) else None
        made = await self.client.write("move", id_, phase, above, below)
        if made is not None:
            self.others.add(made["mutation"])

    async def _remove(self, id_: str, _: dict[str, Any]) -> None:
        made = await self.client.write("remove", id_)
        if made is not None:
            self._removed[id_] = made["mutation"]
            self.others.add(made["mutation"])

    async def _undo(self, _: str, state: dict[str, Any]) -> None:
        gone = [id_ for id_ in self._removed if id_ not in state["opportunities"]]
        if gone:
            id_ = self._chance.choice(gone)
            self.taken_back.add(self._removed.pop(id_))
            await self.client.call("undoRemove", id_)

    async def _restore(self, id_: str, state: dict[str, Any]) -> None:
        version = state["opportunities"][id_]["version_number"]
        if version > 1:
            self.others.add(await self.client.call("restore", id_, self._chance.randint(1, version - 1)))
            self.asked.add(id_)

    async def _edit_in_panel(self, id_: str, _: dict[str, Any]) -> None:
        """Type slowly enough for others to come between, and save."""
        if not await self.client.edit(id_):
            return
        base = (await self.client.editor("getState"))["base"]
        for name in self._chance.sample(TEXTS, 2):
            word = self.word()
            self.typed[word] = base[name]
            await self.client.editor("set", name, word)
        # An offline page reports it at once; the result is reported later, as for every mutation.
        assert await self.client.editor("save") in {"saved", "queued", "conflict", "gone", "rejected"}
        await self.client.editor("close")
