"""Messages about domain errors that name ticket numbers or limits."""

from backoffice.ui import display
from shared.core.errors import DomainError
from shared.raffles.models import Raffle


def describe_ticket_number_error(refusal: DomainError, *, raffle: Raffle) -> str:
    """Return a sentence about a refused choice of ticket numbers.

    Args:
        refusal: The domain error; errors that are not about ticket numbers keep their message.
        raffle: The raffle of the ticket numbers, which are written with its leading zeros.

    """
    match refusal.code, refusal.details:
        case "numbers_taken", {"taken": [*taken]}:
            return f"Somebody else has {display.format_ticket_numbers(raffle, taken)}."
        case "numbers_unknown", {"unknown": [*unknown], "first": int(first), "last": int(last)}:
            ends = f"{raffle.format_ticket_number(first)} to {raffle.format_ticket_number(last)}"
            return (
                f"There is no {display.format_ticket_numbers(raffle, unknown)}: the numbers "
                f"are {ends}."
            )
        case "quantity_out_of_bounds", {"minimum": least, "maximum": most} if least == most:
            return f"It must be {most} numbers."
        case "quantity_out_of_bounds", {"minimum": least, "maximum": most}:
            return f"It must be {least} to {most} numbers."
        case "too_few_left", {"available": left}:
            return f"Only {left} numbers are left."
        case "contact_limit_reached", {"limit": limit, "remaining": left}:
            return f"One buyer may have {limit} numbers here; {left} more for this one."
        case "order_wants_payment", {"code": str(code)}:
            return f"This buyer has {code} to pay in this raffle: attach the proof to that order."
        case _:
            return refusal.message()
