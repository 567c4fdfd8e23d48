from shared.conversation.flow import reserve
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.values import Step

MAX_CHECKED_NUMBERS = 20


def add_numbers(numbers, hold, context, facts):
    return reserve.hold_numbers(
        hold.raffle, tuple(sorted({*hold.numbers, *numbers})), context, facts
    )


def drop_numbers(numbers, hold, context, facts):
    rest = tuple(n for n in hold.numbers if n not in numbers)
    if len(rest) == len(hold.numbers) or not rest:
        return repeat_prompt("CONFIRM_RESERVATION", context, facts)
    return reserve.hold_numbers(hold.raffle, rest, context, facts)


def swap_numbers(old, new, hold, context, facts):
    if not set(old) <= set(hold.numbers):
        return repeat_prompt("CONFIRM_RESERVATION", context, facts)
    return reserve.hold_numbers(
        hold.raffle, tuple(sorted(set(hold.numbers) - set(old) | set(new))), context, facts
    )


def add_random(q, hold, context, facts):
    return reserve.hold_random(hold.raffle, q + len(hold.numbers), context, facts)
