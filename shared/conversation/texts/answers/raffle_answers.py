"""Answers to questions about raffles: about one, or several with a line for each."""

from collections.abc import Callable, Sequence

from shared.conversation.facts.values import RaffleFacts
from shared.conversation.formatting import format_count, format_money
from shared.conversation.texts.answers.order_phrases import MAX_LISTED, name_seller
from shared.conversation.texts.draws import build_draw_method_note
from shared.conversation.texts.parts import format_draw_time, pluralize_number
from shared.conversation.texts.raffles import build_not_selling_note
from shared.core.enums import DrawMethod

type _Sentence = Callable[[RaffleFacts], str]


def list_raffles(several: Sequence[RaffleFacts], describe: _Sentence) -> str:
    """Return a line for each raffle, and how many more there are."""
    lines = [f"*{raffle.title}*: {describe(raffle)}" for raffle in several[:MAX_LISTED]]
    more = len(several) - MAX_LISTED
    return "\n".join([*lines, *([f"… and {more} more."] if more > 0 else [])])


def _format_quantity(quantity: int) -> str:
    return f"{format_count(quantity)} {pluralize_number(quantity)}"


def build_nothing_on_sale_answer() -> str:
    """Return the answer to a question about a raffle while there is none."""
    return "There is no raffle on sale right now. Please come back soon."


# ── raffles ───────────────────────────────────────────────────────────────────────────────────────


def build_price_answer(several: Sequence[RaffleFacts], *, quantity: int | None) -> str:
    """Return the price of a number, and of as many as were asked for."""
    if len(several) > 1:
        return list_raffles(several, lambda raffle: _describe_price(raffle, quantity))
    [raffle] = several
    price = format_money(raffle.price, raffle.currency)
    if raffle.is_free:
        return f"The numbers of *{raffle.title}* are free."
    if not raffle.is_on_sale:
        return f"{explain_no_sale(raffle)} The price was {price} a number."
    least = f", at least {raffle.min_per_order} at a time" if raffle.min_per_order > 1 else ""
    total = _describe_total(raffle, quantity)
    return f"*{raffle.title}*: {price} a number{least}.{total}"


def _describe_price(raffle: RaffleFacts, quantity: int | None) -> str:
    if raffle.is_free:
        return "free"
    if quantity is not None and quantity > 1:
        total = format_money(raffle.price * quantity, raffle.currency)
        return f"{total} for {_format_quantity(quantity)}"
    return f"{format_money(raffle.price, raffle.currency)} a number"


def _describe_total(raffle: RaffleFacts, quantity: int | None) -> str:
    if quantity is None or quantity <= 1:
        return ""
    total = format_money(raffle.price * quantity, raffle.currency)
    return f" {_format_quantity(quantity)} cost *{total}*."


def explain_no_sale(raffle: RaffleFacts) -> str:
    """Return why a raffle is not on sale."""
    return build_not_selling_note(raffle.title, raffle.not_selling_reason or "")


def build_prize_answer(several: Sequence[RaffleFacts]) -> str:
    """Return what can be won."""
    if len(several) > 1:
        return list_raffles(several, lambda raffle: raffle.prize)
    [raffle] = several
    if raffle.is_drawn or raffle.is_called_off:
        return f"{explain_no_sale(raffle)} The prize: {raffle.prize}."
    return f"In *{raffle.title}* you can win *{raffle.prize}*."


def build_draw_date_answer(several: Sequence[RaffleFacts]) -> str:
    """Return when a raffle is drawn, and how."""
    if len(several) > 1:
        return list_raffles(several, _describe_draw_date)
    [raffle] = several
    if raffle.is_drawn or raffle.is_called_off:
        return explain_no_sale(raffle)
    if raffle.draw_at is None and not raffle.draw_when_sold_out and not raffle.is_sealed:
        return f"*{raffle.title}* has no draw date yet. The seller knows: {get_seller(raffle)}."
    how = build_draw_method_note(raffle)
    when = f"*{raffle.title}*: {_describe_draw_date(raffle)}{how}."
    return f"{when} Afterwards write *who won*."


def _describe_draw_date(raffle: RaffleFacts) -> str:
    if raffle.is_drawn:
        return "drawn already, write *who won*"
    if raffle.is_called_off:
        return "called off"
    if raffle.draw_time_reached:
        was = f", it was set for {format_draw_time(raffle)}" if raffle.draw_at is not None else ""
        return f"the draw is due{was}"
    if raffle.draw_at is not None:
        return f"draw on {format_draw_time(raffle)}"
    if raffle.draw_when_sold_out:
        return "drawn when all numbers are sold"
    return "no draw date yet"


def get_seller(raffle: RaffleFacts) -> str:
    """Return how to reach the seller of a raffle, for the end of a sentence."""
    return name_seller(raffle.seller_contact)


def build_left_answer(several: Sequence[RaffleFacts]) -> str:
    """Return how many numbers are free."""
    if len(several) > 1:
        return list_raffles(several, _describe_left)
    [raffle] = several
    if not raffle.is_on_sale:
        return explain_no_sale(raffle)
    if not raffle.available:
        return f"*{raffle.title}* is sold out."
    return f"*{raffle.title}*: {_describe_left(raffle)}."


def _describe_left(raffle: RaffleFacts) -> str:
    if not raffle.available:
        return "sold out"
    are = "is" if raffle.available == 1 else "are"
    of = _format_quantity(raffle.number_count)
    return f"{format_count(raffle.available)} of {of} {are} left"


def build_limits_answer(several: Sequence[RaffleFacts]) -> str:
    """Return how many numbers the buyer can take."""
    if len(several) > 1:
        return list_raffles(several, lambda raffle: f"{_describe_limit(raffle)} at a time")
    [raffle] = several
    if not raffle.is_on_sale:
        return explain_no_sale(raffle)
    if not raffle.available:
        return f"*{raffle.title}* is sold out."
    if raffle.max_quantity < raffle.min_per_order:
        return (
            f"You cannot take more numbers of *{raffle.title}* now. "
            f"Questions go to the seller: {get_seller(raffle)}."
        )
    rest = ""
    if raffle.remaining_for_buyer is not None:
        in_all = min(raffle.remaining_for_buyer, raffle.available)
        rest = f" In all you can still have {_format_quantity(in_all)}."
    elif raffle.available > raffle.max_per_order:
        rest = " Afterwards you can buy again."
    return f"In *{raffle.title}* you can take {_describe_limit(raffle)} at a time.{rest}"


def _describe_limit(raffle: RaffleFacts) -> str:
    most = max(raffle.max_quantity, raffle.min_per_order)
    if most == raffle.min_per_order:
        return _format_quantity(most)
    return f"{raffle.min_per_order} to {_format_quantity(most)}"


def build_raffles_answer(several: Sequence[RaffleFacts]) -> str:
    """Return what is on sale."""
    if len(several) == 1:
        return f"One raffle is on sale:\n{list_raffles(several, describe_offer)}"
    return list_raffles(several, describe_offer)


def describe_offer(raffle: RaffleFacts) -> str:
    """Return a raffle in a few words: prize, price and what is left."""
    left = _describe_left(raffle) if not raffle.available else f"{raffle.available:,} left"
    return f"{raffle.prize} · {_describe_price(raffle, None)} · {left}"


def build_chances_answer(
    several: Sequence[RaffleFacts], *, own: Sequence[int], quantity: int | None
) -> str:
    """Return how many of all numbers a buyer has; nothing is promised.

    Args:
        several: the raffles that may be meant.
        own: how many numbers the buyer holds or owns of each.
        quantity: how many they ask about; None: those that they have.

    """
    counts = dict(zip((raffle.id for raffle in several), own, strict=True))
    if quantity is not None:
        counts = dict.fromkeys(counts, quantity)
    rule = "Nobody can promise a win."
    if len(several) > 1:
        lines = list_raffles(several, lambda raffle: _describe_share(raffle, counts[raffle.id]))
        return f"{lines}\n{rule}"
    [raffle] = several
    if raffle.is_drawn or raffle.is_called_off:
        return explain_no_sale(raffle)
    share = _describe_share(raffle, counts[raffle.id])
    if quantity is not None:
        whose = f"That would be {share} of *{raffle.title}*."
    elif counts[raffle.id]:
        whose = f"You have {share} of *{raffle.title}*."
    else:
        whose = f"You have no numbers of *{raffle.title}*; it has {raffle.number_count:,} in all."
    return f"{whose} {_describe_draw_chance(raffle)} {rule}"


def _describe_share(raffle: RaffleFacts, count: int) -> str:
    mine = format_count(count) if count else "none"
    return f"{mine} of {_format_quantity(raffle.number_count)}"


def _describe_draw_chance(raffle: RaffleFacts) -> str:
    if raffle.draw_method is DrawMethod.LOTTERY_DIGITS:
        return "How the winning number is found, the *rules* say."
    return "Only sold numbers are drawn, each with the same chance."


def build_age_answer(several: Sequence[RaffleFacts], *, is_adult: bool) -> str:
    """Return whether buyers must be adults; `is_adult` if the buyer has said that they are."""
    if len(several) > 1:
        return list_raffles(
            several,
            lambda raffle: "18 or older" if raffle.adults_only else "I ask for no age",
        )
    [raffle] = several
    if not raffle.adults_only:
        return (
            f"I ask for no age in *{raffle.title}*. The seller knows whether the law does: "
            f"{get_seller(raffle)}."
        )
    told = " You have told me that you are." if is_adult else ""
    return f"*{raffle.title}* is only for people who are 18 or older.{told}"
