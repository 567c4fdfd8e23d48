"""A check that a statement changed exactly the rows that were locked for it."""


class WrongRowCount(RuntimeError):
    """A statement changed more or fewer rows than were locked for it; this is a bug."""


def check_row_count(changed: int, *, wanted: int, what: str) -> None:
    """Raise unless exactly the `wanted` rows changed.

    Args:
        changed: the count of changed rows.
        wanted: the count of rows that were locked.
        what: the statement's name in the error.

    Raises:
        WrongRowCount: the counts differ; it rolls the whole transaction back.

    """
    if changed != wanted:
        raise WrongRowCount(f"{what}: {changed} rows changed, {wanted} expected")
