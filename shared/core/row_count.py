"""Makes sure that a statement changed the rows that were locked and counted for it."""


class WrongRowCount(RuntimeError):
    """A statement changed more or fewer rows than were locked for it: a bug, never a refusal."""


def check_row_count(changed: int, *, wanted: int, what: str) -> None:
    """Go on only if exactly the `wanted` rows changed.

    Raises:
        WrongRowCount: otherwise; it rolls the whole use case back.

    """
    if changed != wanted:
        raise WrongRowCount(f"{what}: {changed} rows changed, {wanted} expected")
