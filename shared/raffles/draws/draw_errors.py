"""Errors of draws; staff and API users read the sentences in their docstrings."""

from collections.abc import Collection, Mapping
from datetime import datetime

from shared.core.errors import DomainError


class RulesFrozen(DomainError):
    """Numbers have been sold under these rules, so rules and prizes cannot change any more."""

    code = "rules_frozen"


class RulesMissing(DomainError):
    """Say first how the raffle is drawn: its numbers were sold before it had rules for the draw."""

    code = "rules_missing"


class RulesInvalid(DomainError):
    """The rules of the draw do not fit the raffle."""

    code = "rules_invalid"

    def __init__(self, *, problem: str) -> None:
        super().__init__(problem=problem)


class SourceDateNamed(DomainError):
    """The rules name the date of a public source, so the draw cannot be moved before it."""

    code = "source_date_named"

    def __init__(self, *, source: str, at: datetime) -> None:
        super().__init__(source=source, at=at)


class LegalDetailsMissing(DomainError):
    """Promoter, permit number and rules address are needed before the raffle opens."""

    code = "legal_details_missing"

    def __init__(self, *, missing: Collection[str]) -> None:
        super().__init__(missing=sorted(missing))


class NothingSold(DomainError):
    """No number was sold, so there is nothing to draw from; call the raffle off."""

    code = "nothing_sold"


class TooFewSold(DomainError):
    """Fewer numbers were sold than the rules ask for; the raffle is called off."""

    code = "too_few_sold"

    def __init__(self, *, sold: int, minimum: int) -> None:
        super().__init__(sold=sold, minimum=minimum)


class DecisionsOpen(DomainError):
    """Some payments still wait for a decision; make it before the raffle is sealed."""

    code = "decisions_open"

    def __init__(self, *, count: int, orders: Mapping[int, str]) -> None:
        super().__init__(count=count, orders=list(orders.values()), order_ids=list(orders))


class ChainBroken(DomainError):
    """The receipts that buyers hold do not fit the numbers sold; ask whoever runs the product."""

    code = "chain_broken"

    def __init__(self, *, problem: str) -> None:
        super().__init__(problem=problem)


class RaffleNotSealed(DomainError):
    """The raffle is not sealed, so it cannot be drawn yet."""

    code = "raffle_not_sealed"


class ValueNotDue(DomainError):
    """The source has not spoken yet: its values are entered once its time has come."""

    code = "value_not_due"

    def __init__(self, *, at: datetime) -> None:
        super().__init__(at=at)


class ValueInvalid(DomainError):
    """These values cannot be a result of the source."""

    code = "value_invalid"

    def __init__(self, *, problem: str) -> None:
        super().__init__(problem=problem)


class ValueExists(DomainError):
    """Values were entered already; nobody chooses among values."""

    code = "value_exists"


class ValueNotFound(DomainError):
    """There are no such values."""

    code = "value_not_found"


class ValueVoided(DomainError):
    """These values were declared void before."""

    code = "value_voided"


class EvidenceMissing(DomainError):
    """Add a link or a photo that shows the values."""

    code = "evidence_missing"


class SecondPersonNeeded(DomainError):
    """Another person with the permission must confirm what you entered; a token cannot."""

    code = "second_person_needed"


class PersonNeeded(DomainError):
    """A person decides this; a token cannot."""

    code = "person_needed"


class AnotherPersonNeeded(DomainError):
    """You drew this prize; another person with the permission must draw it again."""

    code = "another_person_needed"


class LinkInvalid(DomainError):
    """The link is no web address, such as https://example.com/result, or is too long."""

    code = "link_invalid"

    def __init__(self, *, maximum: int) -> None:
        super().__init__(maximum=maximum)


class InputsMissing(DomainError):
    """Not all values are entered and confirmed yet."""

    code = "inputs_missing"

    def __init__(self, *, missing: Collection[str]) -> None:
        super().__init__(missing=list(missing))


class InputsChanged(DomainError):
    """The values changed since you looked at them; look again before you draw."""

    code = "inputs_changed"


class StubNotSold(DomainError):
    """This number is not on the sealed list, or has won already."""

    code = "stub_not_sold"

    def __init__(self, *, number: int) -> None:
        super().__init__(number=number)


class PrizeNotFound(DomainError):
    """There is no such prize, or it is not drawn yet."""

    code = "prize_not_found"


class PrizeClaimed(DomainError):
    """The prize was claimed, so it is not drawn again."""

    code = "prize_claimed"

    def __init__(self, *, by: str, at: datetime) -> None:
        super().__init__(by=by, at=at)


class ResultReplaced(DomainError):
    """The prize was drawn again since; look at the newest result."""

    code = "result_replaced"


class ResultVoid(DomainError):
    """The values that this prize was drawn from do not count; draw it anew first."""

    code = "result_void"


class RedrawTooEarly(DomainError):
    """The winner still has time to claim the prize; it is drawn again after that."""

    code = "redraw_too_early"

    def __init__(self, *, until: datetime) -> None:
        super().__init__(until=until)


class WinnerNotConfirmed(DomainError):
    """Confirm the winner first."""

    code = "winner_not_confirmed"


class PoolExhausted(DomainError):
    """All numbers of the sealed list have been drawn."""

    code = "pool_exhausted"
