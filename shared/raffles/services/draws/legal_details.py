"""Promoter, permit, rules address and age of a raffle."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from shared.raffles import sale_rules
from shared.raffles.draws.draw_errors import LinkInvalid, RulesFrozen
from shared.raffles.models import Raffle
from shared.raffles.services import locks
from shared.raffles.services.draws import draw_rules
from shared.raffles.services.draws.rule_checks import MAX_ADDRESS_LENGTH
from shared.raffles.validators import is_web_address


@dataclass(frozen=True, slots=True)
class LegalDetails:
    """Who answers for a raffle and who may take part; the attributes are those of `Raffle`."""

    promoter: str = ""
    permit_number: str = ""
    rules_url: str = ""
    adults_only: bool = False


@transaction.atomic(durable=True)
def save_legal_details(raffle_id: int, details: LegalDetails, *, now: datetime) -> None:
    """Set the legal details of a raffle, which stand in its rules.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesFrozen: a number was sold under its present rules.
        RaffleSealed, RaffleDrawn: its list of sold numbers is final.
        LinkInvalid: the address of the rules is no web address, or is too long.

    """
    if details.rules_url and not is_web_address(details.rules_url, maximum=MAX_ADDRESS_LENGTH):
        raise LinkInvalid(maximum=MAX_ADDRESS_LENGTH)
    raffle = locks.lock_raffle(raffle_id)
    sale_rules.refuse_after_sealing(raffle)
    if draw_rules.are_rules_frozen(raffle_id):
        raise RulesFrozen
    Raffle.objects.filter(pk=raffle_id).update(**asdict(details), updated_at=now)
