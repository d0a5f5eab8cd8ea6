"""The filter of a trigger log request, as db.triggerlog takes it."""

from api.http.problems import Problem
from api.schemas.queries import LogFilter
from db.changelog.entries import FILTERS

Filters = dict[str, str | None]


def log_filters(query: LogFilter) -> Filters:
    """Return one value or None for each filter. `opportunity` is short for a table and a key."""
    if query.opportunity is not None and (query.table is not None or query.key is not None):
        raise Problem("invalid-input", "`opportunity` is short for `table` and `key`. Use either it or them.")
    filters: Filters = {name: getattr(query, name) for name in FILTERS}
    if query.opportunity is not None:
        filters |= {"table": "opportunities", "key": query.opportunity}
    return filters
