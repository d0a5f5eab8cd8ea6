"""Times as people give them on the command line: an age, a date, or a time.

Invariant: what is no time is said so with an example, and never taken for another one.
"""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

import typer

_AGE = re.compile(r"(\d{1,9})\s*([a-z]*)", re.ASCII | re.IGNORECASE)
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


def age(text: str) -> float | None:
    """Seconds of such as 15m, 12h, 30d or '10 min'; None where it is no age."""
    match = _AGE.fullmatch(text.strip())
    if match is None or match[2].lower() not in _UNITS:
        return None
    return float(match[1]) * _UNITS[match[2].lower()]


def seconds(text: str) -> float:
    """The same, or a number of seconds. Raises typer.BadParameter."""
    found = float(text) if text.isdecimal() and len(text) < 10 else age(text)
    if found is None:
        raise typer.BadParameter("must be a number of seconds, or such as 15m, 12h or 30d")
    return found


def moment(text: str, zone: tzinfo | None = UTC) -> datetime:
    """A time, in this zone (None: the machine's) unless it names one, or an age before now. Raises typer.BadParameter."""
    try:
        if (before := age(text)) is not None:
            return datetime.now(UTC) - timedelta(seconds=before)
        found = _day(text, zone) or datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter("must be a date or time such as 2027-01-31T12:00Z, or an age such as 30d") from None


def _day(text: str, zone: tzinfo | None) -> datetime | None:
    if text not in {"today", "yesterday"}:
        return None
    day = datetime.now(zone).date() - timedelta(days=text == "yesterday")
    return datetime.combine(day, time())
