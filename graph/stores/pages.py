"""Pages of changes that lose none."""

from graph.rows import FactVersion

Change = tuple[int, FactVersion]


def whole_page(found: list[Change], limit: int) -> list[Change]:
    """The first `limit`, and what shares (moment, id) with the last: a cursor between the two would lose one."""
    end = min(limit, len(found))
    while 0 < end < len(found) and _place_of(found[end]) == _place_of(found[end - 1]):
        end += 1
    return found[:end]


def _place_of(change: Change) -> tuple[int, str]:
    moment, version = change
    return moment, version.id
