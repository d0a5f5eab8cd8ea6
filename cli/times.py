"""Times and durations as people write them on the command line.

Invariant: text that is not a time is rejected with an example, and never read as another time.
"""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

import typer

_DURATION = re.compile(r"(\d{1,9})\s*([a-z]*)", re.ASCII | re.IGNORECASE)
_UNITS = {
    unit: seconds
    for names, seconds in (
        ("s sec secs second seconds", 1),
        ("m min mins minute minutes", 60),
        ("h hour hours", 3600),
        ("d day days", 86_400),
        ("w week weeks", 604_800),
    )
    for unit in names.split()
}


def parse_duration(text: str) -> float:
    """Seconds, from a number of seconds or a duration such as 15m. Raises typer.BadParameter."""
    seconds = float(text) if text.isdecimal() and len(text) < 10 else _with_unit(text)
    if seconds is None:
        raise typer.BadParameter("must be a number of seconds or a duration such as 15m, 12h or 30d")
    return seconds


def parse_time(text: str, zone: tzinfo | None = UTC) -> datetime:
    """A point in time, from a date, a time, or an age before now. Raises typer.BadParameter.

    `zone` applies to text that names none; None stands for the machine's own.
    """
    try:
        if (age := _with_unit(text)) is not None:
            return datetime.now(UTC) - timedelta(seconds=age)
        found = _named_day(text, zone) or datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("must be a date or time such as 2027-01-31T12:00Z, or an age such as 30d") from None


def _with_unit(text: str) -> float | None:
    """The seconds of 15m, 12h, 30d or '10 min'; None for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or match[2].lower() not in _UNITS:
        return None
    return float(match[1]) * _UNITS[match[2].lower()]


def _named_day(text: str, zone: tzinfo | None) -> datetime | None:
    if text not in {"today", "yesterday"}:
        return None
    day = datetime.now(zone).date() - timedelta(days=text == "yesterday")
    return datetime.combine(day, time())
