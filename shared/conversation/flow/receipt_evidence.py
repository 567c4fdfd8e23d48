"""The order of a picture by evidence, whatever the state of the conversation.

In this order: the codes in its caption or in the words before it, of which one receipt may name
several; the message that it replies to,
if the ticket numbers of that order are still held; the newest order or hold that wants payment.
Without any of these it goes to the order of the album, to the one under review, or to the latest.
If several orders are possible, it belongs to none and the buyer is asked.
"""

from collections.abc import Iterable

from shared.conversation.conversation_events import PictureReceived
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.understanding import order_names
from shared.conversation.values import KeepProof
from shared.core.enums import OrderStatus, UnplacedReason


def choose_order_for_picture(picture: PictureReceived, facts: Facts) -> KeepProof:
    """Return the effect that stores a picture for its order, or for none with the candidates."""
    named = _find_named_orders(picture, facts)
    if named:
        return KeepProof(named[0].id, also=tuple(order.id for order in named[1:]))
    replied = facts.find_order(picture.order_id)
    if replied is not None:
        replied = _find_holder(replied, facts)
        if replied.is_live:
            return KeepProof(replied.id)
    if order_names.find_certain_codes(picture.caption):
        return _ask_about(facts.orders_wanting_receipt, reason=UnplacedReason.UNKNOWN_CODE)
    return _choose_by_payment_due(picture, facts) or _choose_by_the_past(picture, replied, facts)


def _find_named_orders(picture: PictureReceived, facts: Facts) -> list[OrderFacts]:
    """Return the orders whose codes the buyer wrote with the picture, each once."""
    named = _find_holders(
        facts.find_orders_by_code(order_names.find_meant_codes(picture.caption)), facts
    )
    for text in picture.texts_before:
        if named:
            break
        found = _find_holders(facts.find_orders_by_code(order_names.find_meant_codes(text)), facts)
        # A code that the buyer wrote about the picture before says nothing about this one.
        named = [order for order in found if order.id != picture.previous_order_id]
    return named


def _find_holders(orders: Iterable[OrderFacts], facts: Facts) -> list[OrderFacts]:
    return list({order.id: order for order in (_find_holder(o, facts) for o in orders)}.values())


def _find_holder(order: OrderFacts, facts: Facts) -> OrderFacts:
    """Return the buyer's order that holds the ticket numbers of an order now, or the order itself.

    After the end of an order its buyer may take the same numbers again and pay for the new order.
    """
    if order.holds_numbers:
        return order
    holders = [
        other
        for other in facts.orders
        if other.holds_numbers
        and other.id > order.id
        and other.raffle.id == order.raffle.id
        and set(order.numbers) <= set(other.numbers)
    ]
    return holders[-1] if holders else order


def _choose_by_payment_due(picture: PictureReceived, facts: Facts) -> KeepProof | None:
    """Choose the order that wants payment; None if there is none."""
    wanting = facts.orders_wanting_receipt
    if not wanting:
        return None
    previous = facts.find_order(picture.previous_order_id) if picture.is_in_album else None
    if previous is not None and previous not in wanting:
        return _ask_about([previous, *wanting])  # one more page, or the next receipt
    if len({order.raffle.id for order in wanting}) > 1:
        return _ask_about(wanting)
    if len(wanting) > 1 and any(order.asked_again for order in wanting):
        return _ask_about(wanting)
    return KeepProof(wanting[-1].id)


def _choose_by_the_past(
    picture: PictureReceived, replied: OrderFacts | None, facts: Facts
) -> KeepProof:
    """Choose among orders of which none wants payment; none without any order."""
    if replied is not None:
        return KeepProof(replied.id)
    previous = facts.find_order(picture.previous_order_id)
    if previous is not None:
        return KeepProof(previous.id)
    under_review = [order for order in facts.orders if order.under_review]
    if under_review:
        return KeepProof(under_review[-1].id)
    # A hold that ended before it was placed never told how to pay, and nobody pays one given back.
    placed = [order for order in facts.orders if order.was_placed]
    kept = [order for order in facts.orders if order.status is not OrderStatus.CANCELLED]
    latest = max(placed or kept, key=lambda order: order.id, default=None)
    return KeepProof(latest.id if latest else None)


def _ask_about(
    orders: Iterable[OrderFacts], *, reason: UnplacedReason = UnplacedReason.SEVERAL_ORDERS
) -> KeepProof:
    return KeepProof(None, candidates=tuple(order.id for order in orders), reason=reason)
