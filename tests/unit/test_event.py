"""An event's JSON contains the row exactly as PostgreSQL wrote it, whatever its digits and characters."""

import json
from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from feed.wire.event import Event, Grant, message, timestamp
from tests.support.changes import AT, change


@pytest.mark.parametrize(
    "digits", ["1200.50", "12345678901234567890.12", "0.00", "-1", "1e400", "100000000000000000000000"]
)
def test_the_digits_of_an_amount_are_unchanged(digits: str) -> None:
    sent = Event.of(change(body=f'{{"value": {digits}}}')).json()
    assert f'"changes":{{"value": {digits}}}'.encode() in sent
    assert json.loads(sent, parse_float=Decimal)["changes"]["value"] == Decimal(digits)


def test_a_complete_update() -> None:
    assert Event.of(change(origin="m-1")).json("c.1") == (
        b'{"type":"opportunity_updated","opportunityId":"o1","changes":{"title": "x"},"boardId":"b1","userId":"ana",'
        b'"timestamp":"2026-11-23T12:00:00.123Z","version":2,"seq":5,"xid":"9223372036854775808","origin":"m-1","cursor":"c.1"}'
    )


@pytest.mark.parametrize(
    ("op", "body", "kind", "field"),
    [
        ("insert", '{"id": 1}', "opportunity_created", "opportunity"),
        ("enter", '{"id": 1}', "opportunity_created", "opportunity"),
        ("update", '{"id": 1}', "opportunity_updated", "changes"),
        ("delete", None, "opportunity_deleted", None),
        ("leave", None, "opportunity_deleted", None),
    ],
)
def test_each_operation_on_a_card(op: str, body: str | None, kind: str, field: str | None) -> None:
    sent = json.loads(Event.of(change(op=op, body=body)).json())
    assert sent["type"] == kind
    assert {"opportunity", "changes"} & sent.keys() == ({field} if field else set())


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("new", "won", "moved"),
        (None, "won", "moved"),
        ("new", None, "moved"),
        ("new", "new", "updated"),
        (None, None, "updated"),
    ],
)
def test_a_move_is_a_change_of_phase(before: str | None, after: str | None, kind: str) -> None:
    sent = json.loads(Event.of(change(from_phase=before, to_phase=after)).json())
    assert sent["type"] == f"opportunity_{kind}"
    if kind == "moved":
        assert (sent["fromPhase"], sent["toPhase"]) == (before, after)


def test_names_with_any_characters_are_escaped() -> None:
    nasty = 'a"b\\c\nd\u2028é☃'
    sent = json.loads(Event.of(change(key=nasty, actor=nasty, board=nasty, origin=nasty)).json())
    assert [sent[name] for name in ("opportunityId", "userId", "boardId", "origin")] == [nasty] * 4
    assert b"\n" not in Event.of(change(key=nasty, actor=nasty)).json()


def test_collapsed_is_sent_only_for_more_than_one_change() -> None:
    assert json.loads(Event.of(change(size=3)).json())["collapsed"] == 3
    assert "collapsed" not in json.loads(Event.of(change()).json())
    resync = json.loads(Event.of(change(op="resync", size=3, body=None)).json())
    assert (resync["reason"], resync["count"], "collapsed" in resync) == ("bulk", 3, False)


@pytest.mark.parametrize(
    ("op", "member", "role", "grant"),
    [
        ("insert", "ana", "viewer", Grant("ana", "b1", "viewer", 5, new=True)),
        ("update", "ana", "editor", Grant("ana", "b1", "editor", 5)),
        ("delete", "ana", None, Grant("ana", "b1", None, 5)),
        ("truncate", None, None, Grant(None, None, None, 5)),
    ],
)
def test_a_change_of_membership_is_a_grant(op: str, member: str | None, role: str | None, grant: Grant) -> None:
    made = change(relation="feed.board_members", op=op, member=member, role=role, body=None if op != "insert" else "{}")
    assert Event.of(made).grant == grant
    assert Event.of(change()).grant is None


def test_timestamps_have_the_format_of_javascript() -> None:
    assert timestamp(AT) == timestamp(AT.astimezone(timezone(timedelta(hours=-3)))) == "2026-11-23T12:00:00.123Z"
    assert timestamp(AT.replace(microsecond=0)) == "2026-11-23T12:00:00.000Z"


def test_a_message_keeps_the_order_of_its_fields() -> None:
    assert message("error", code="x", message="y") == b'{"type":"error","code":"x","message":"y"}'


@pytest.mark.parametrize(
    ("relation", "table"),
    [
        ("feed.boards", "boards"),
        ("feed.board_members", "board_members"),
        ("boards", "public.boards"),
        ("board_members", "public.board_members"),
        ("tasks", "tasks"),
        ("crm.boards", "crm.boards"),
    ],
)
@pytest.mark.parametrize("op", ["update", "truncate"])
def test_messages_name_our_tables_as_before_and_the_applications_with_their_schema(
    relation: str, table: str, op: str
) -> None:
    assert json.loads(Event.of(change(relation=relation, op=op)).json())["table"] == table
