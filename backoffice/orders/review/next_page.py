"""Where one goes on after a decision: to the next that waits, where one came from a list."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html

from backoffice.orders import worklists
from backoffice.orders.review import reviewer_presence
from shared.raffles.models import Order

MAX_PRESENCE_LOOKUPS: Final = 20
"""How many of those in turn are asked for whether somebody else looks at them."""


@dataclass(frozen=True, slots=True)
class DecisionOrigin:
    """Where a decision is made: in the queue, among the late payments, or at the order itself.

    Attributes:
        then: `queue`, `late`, or nothing for the order's own page.
        raffle_id: the raffle that the queue is narrowed to; None: all.

    """

    then: str
    raffle_id: int | None

    def following(self, order: Order, *, name: str, now: datetime) -> str:
        """Say where to go after a decision about `order`; asked before it is made.

        Args:
            order: what is decided about.
            name: who decides; orders that others look at are left to them.
            now: the clock.

        """
        if self.then == "late":
            return self._page(
                worklists.load_late_payment_worklist().next_after(order.pk), none="admin:desk_late"
            )
        if self.then != "queue":
            return reverse("admin:raffles_order_change", args=[order.pk])
        line = worklists.load_review_worklist(raffle_id=self.raffle_id)
        turn = line.turn_after(order.pk)[:MAX_PRESENCE_LOOKUPS]
        passing = reviewer_presence.find_orders_being_viewed(turn, name=name, now=now)
        return self._page(line.next_after(order.pk, passing=passing), none="admin:desk_queue")

    def back(self, order: Order, *, new: Collection[int]) -> str:
        """Say where the page is that the decision was made on; `new` proofs are marked there."""
        if not self.then:
            return reverse("admin:raffles_order_change", args=[order.pk])
        return self.review(order, new=new)

    def review(self, order: Order, *, new: Collection[int] = ()) -> str:
        """Give the address of an order's review page; `new` proofs are marked there."""
        marked = [("new", key) for key in new]
        return self._narrowed(reverse("admin:desk_review", args=[order.pk]), *marked)

    def with_link(self, order: Order, sentence: str) -> str:
        """Add the way back to an order that one has just left behind."""
        if not self.then:
            return sentence
        page = self.review(order)
        return format_html('{} <a class="alert-link" href="{}">See it again</a>', sentence, page)

    def _page(self, key: int | None, *, none: str) -> str:
        if key is None:
            return reverse(none)
        return self._narrowed(reverse("admin:desk_review", args=[key]))

    def _narrowed(self, address: str, *more: tuple[str, int]) -> str:
        asked = [*more] if self.raffle_id is None else [("raffle", self.raffle_id), *more]
        return f"{address}?{urlencode(asked)}" if asked else address


def parse_decision_origin(form: QueryDict) -> DecisionOrigin:
    """Read from a form where its decision is made."""
    then = form.get("then", "")
    raffle = form.get("raffle", "")
    known = then if then in {"queue", "late"} else ""
    return DecisionOrigin(known, int(raffle) if raffle.isdecimal() and len(raffle) < 10 else None)  # noqa: PLR2004
