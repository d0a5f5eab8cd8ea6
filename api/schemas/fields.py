"""The types of the fields that requests consist of."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StringConstraints, WithJsonSchema

from db import fractional_index
from feed.wire.protocol import MAX_KEY_LENGTH

_VERSION = re.compile(r"v?[1-9][0-9]{0,9}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,19}", re.ASCII)
_AGE = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _require_storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must not contain lone surrogates") from None
    return text


def _require_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors only
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError('must be a number, or its digits such as "1250.50"')
    return value


def _require_digits(value: object) -> object:
    """A number in a query string. pydantic would also take `1_0`, `+1`, `1.0`, and spaces around it."""
    if isinstance(value, str) and not _COUNT.fullmatch(value):
        raise ValueError("must be a number of up to 19 digits")
    return value


def _parse_version(value: object) -> object:
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return int(value.removeprefix("v"))
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError('must be a version such as 5, "5", or "v5"')  # noqa: TRY004 - as above
    return value


def _require_date(value: object) -> object:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("must be a date such as 2027-03-31")
    return value


def parse_moment(value: object) -> datetime:
    """Parse a time, or an age before now."""
    if isinstance(value, str):
        try:
            if (age := _AGE.fullmatch(value)) is not None:
                return datetime.now(UTC) - timedelta(seconds=int(age[1]) * _UNITS[age[2]])
            # In a query string, an unescaped + is a space.
            moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time such as 2027-01-31T12:00Z, or an age such as 15m, 2h, or 3d")


def _require_fractional_index(key: str) -> str:
    if not fractional_index.is_valid(key):
        raise ValueError("must be a fractional index key such as a0 or a1V")
    return key


require_storable = AfterValidator(_require_storable)

Id = Annotated[str, StringConstraints(min_length=1, max_length=200), require_storable]
Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_LENGTH), require_storable]
NewId = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{8,64}$")]
VersionNumber = Annotated[
    int,
    BeforeValidator(_parse_version),
    Field(ge=1, lt=2**31 - 1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 2**31 - 2},
                {"type": "string", "pattern": "^v?[1-9][0-9]{0,8}$"},
            ]
        }
    ),
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), require_storable]
Line = Annotated[str, StringConstraints(max_length=300), require_storable]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True), require_storable]
Notes = Annotated[str, StringConstraints(max_length=20_000), require_storable]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Position = Annotated[str, StringConstraints(max_length=200), AfterValidator(_require_fractional_index)]
Probability = Annotated[StrictInt, Field(ge=0, le=100)]
Moment = Annotated[datetime, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "examples": ["2h"]})]
Day = Annotated[date, BeforeValidator(_require_date), WithJsonSchema({"type": "string", "format": "date"})]
Value = Annotated[
    Decimal,
    BeforeValidator(_require_number),
    Field(ge=0, lt=1_000_000_000_000, decimal_places=2, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1e12, "multipleOf": 0.01},
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
QueryNumber = Annotated[int, BeforeValidator(_require_digits)]
TransactionId = Annotated[str, StringConstraints(pattern="^[0-9]{1,19}$")]
