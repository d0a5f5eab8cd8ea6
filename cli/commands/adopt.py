from typing import Annotated, Any

import typer

from cli.connect import database_url, fetch_rows, read_settings
from cli.output import Json, print_line, print_result
from cli.schema import adopt as adopt_table
from cli.schema import print_check
from db import logging_config
from db.sqlfiles import sql

_Table = Annotated[
    str,
    typer.Argument(metavar="TABLE", help="The table of your deals, written as in SQL: deals, crm.deals, '\"Deals\"'."),
]


def _column(option: str, what: str) -> Any:
    return typer.Option(option, metavar="COLUMN", help=what)


def adopt(
    table: _Table,
    stage: Annotated[str | None, _column("--stage", "The stage. Default: phase.")] = None,
    board: Annotated[str | None, _column("--board", "The board or pipeline. Default: board_id.")] = None,
    title: Annotated[str | None, _column("--title", "The title. Default: title.")] = None,
    value: Annotated[str | None, _column("--value", "The amount. Default: value.")] = None,
    owner: Annotated[str | None, _column("--owner", "The user responsible for the card. Default: owner_id.")] = None,
    position: Annotated[str | None, _column("--position", "The order within a stage. Default: position.")] = None,
    company: Annotated[str | None, _column("--company", "The company. Default: company.")] = None,
    contact: Annotated[str | None, _column("--contact", "The person to talk to. Default: contact.")] = None,
    currency: Annotated[str | None, _column("--currency", "The currency. Default: currency.")] = None,
    probability: Annotated[str | None, _column("--probability", "In percent. Default: probability.")] = None,
    close_date: Annotated[
        str | None, _column("--close-date", "When it is expected to close. Default: expected_close_date.")
    ] = None,
    notes: Annotated[str | None, _column("--notes", "The notes. Default: notes.")] = None,
    users: Annotated[
        str | None, typer.Option(metavar="TABLE", help="The table or view of your users. Default: public.users.")
    ] = None,
    user_key: Annotated[
        str | None, _column("--user-key", "The id of a user, as in tokens. Default: the primary key, or id.")
    ] = None,
    user_name: Annotated[str | None, _column("--user-name", "The name of a user. Default: name.")] = None,
    *,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing: show what would be added, and every obstacle."),
    ] = False,
    json: Json = False,
) -> None:
    """Use a table of your own as the board, with its own names.

    Installs boardcast if it is missing. Name columns as they were created, without quotes. Run it again to change them: columns
    that you do not name stay as they are.
    """
    fields = {
        "phase": stage,
        "board_id": board,
        "title": title,
        "value": value,
        "owner_id": owner,
        "position": position,
        "company": company,
        "contact": contact,
        "currency": currency,
        "probability": probability,
        "expected_close_date": close_date,
        "notes": notes,
    }
    settings = read_settings()
    logging_config.configure(settings)
    url, columns, user_columns = database_url(settings), _given(fields), _given({"id": user_key, "name": user_name})
    if check:
        print_check(url, table, columns, users=users, user_columns=user_columns, json=json)
        return
    done = adopt_table(url, table, columns, users=users, user_columns=user_columns)
    for line in () if json else done:
        print_line(line)
    (adopted,) = fetch_rows(sql("queries/adopted"))
    mapping = ", ".join(f"{field}: {column}" for field, column in adopted["columns"].items())
    print_result(f"the board is {adopted['table']}; {mapping}", json=json, done=done, **adopted)


def _given(columns: dict[str, str | None]) -> dict[str, str]:
    return {field: column for field, column in columns.items() if column is not None}
