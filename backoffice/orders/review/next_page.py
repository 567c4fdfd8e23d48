"""Redirect targets after a decision: the next order of a worklist, or the order itself."""

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
from backoffice.ui import ids
from shared.raffles.models import Order

MAX_PRESENCE_LOOKUPS: Final = 20
"""Orders of the queue for which the presence of other reviewers is looked up."""


@dataclass(frozen=True, slots=True)
class DecisionOrigin:
    """The page that a decision is made on.

    Attributes:
        then: `queue` for the review queue, `late` for the late payments, `refunds` for the refunds
            to make, or empty for the page of the order itself.
        raffle_id: The raffle that the queue is filtered by; None for all raffles.

    """

    then: str
    raffle_id: int | None

    def build_next_url(self, order: Order, *, name: str, now: datetime) -> str:
        """Return the address of the page after a decision; call it before the decision.

        Args:
            order: The order of the decision.
            name: The user name of the reviewer. Orders that other reviewers have open are skipped.
            now: The current time.

        """
        if self.then == "late":
            following = worklists.load_late_payment_worklist().find_next(order.pk)
            return self._build_page_url(following, none="admin:desk_late")
        if self.then == "refunds":
            return build_refunds_url(raffle_id=self.raffle_id)
        if self.then != "queue":
            return reverse("admin:raffles_order_change", args=[order.pk])
        worklist = worklists.load_review_worklist(raffle_id=self.raffle_id)
        candidates = worklist.list_following(order.pk)[:MAX_PRESENCE_LOOKUPS]
        viewed = reviewer_presence.find_orders_being_viewed(candidates, name=name, now=now)
        return self._build_page_url(
            worklist.find_next(order.pk, skip=viewed), none="admin:desk_queue"
        )

    def build_return_url(self, order: Order, *, new: Collection[int]) -> str:
        """Return the address of the page that the decision was made on.

        Args:
            order: The order of the decision.
            new: Ids of the proofs that a review page marks as new.

        """
        if not self.then:
            return reverse("admin:raffles_order_change", args=[order.pk])
        then = self.then if self.then == "refunds" else ""
        return build_review_url(order.pk, raffle_id=self.raffle_id, new=new, then=then)

    def add_order_link(self, order: Order, sentence: str) -> str:
        """Return a message with a link back to an order whose page was left."""
        if not self.then:
            return sentence
        page = build_review_url(order.pk, raffle_id=self.raffle_id)
        return format_html('{} <a class="alert-link" href="{}">See it again</a>', sentence, page)

    def add_undo_link(self, order: Order, sentence: str) -> str:
        """Return a message about a confirmation with a link to the form that undoes it."""
        if not self.then:
            return sentence
        page = build_review_url(order.pk, raffle_id=self.raffle_id, undo=True)
        return format_html('{} <a class="alert-link" href="{}">Undo</a>', sentence, page)

    def _build_page_url(self, order_id: int | None, *, none: str) -> str:
        """Return the address of a review page, or of the page named `none` if there is no order."""
        if order_id is None:
            return reverse(none)
        return build_review_url(order_id, raffle_id=self.raffle_id)


def parse_decision_origin(form: QueryDict) -> DecisionOrigin:
    """Return the page that a decision is made on, from the fields of its form."""
    then = form.get("then", "")
    return DecisionOrigin(
        then if then in {"queue", "late", "refunds"} else "",
        ids.parse_digits(form.get("raffle", "")),
    )


def build_refunds_url(*, raffle_id: int | None) -> str:
    """Return the address of the refunds to make, of one raffle or of all (None)."""
    address = reverse("admin:desk_refunds")
    return address if raffle_id is None else f"{address}?{urlencode({'raffle': raffle_id})}"


def build_review_url(
    order_id: int,
    *,
    raffle_id: int | None,
    new: Collection[int] = (),
    undo: bool = False,
    then: str = "",
) -> str:
    """Return the address of the review page of an order.

    Args:
        order_id: The order.
        raffle_id: The raffle that the queue is filtered by; None for all raffles.
        new: Ids of the proofs that the page marks as new.
        undo: Whether the form that undoes the confirmation is open.
        then: The worklist to go on with, if it is not the usual one.

    """
    address = reverse("admin:desk_review", args=[order_id])
    query: list[tuple[str, object]] = [] if raffle_id is None else [("raffle", raffle_id)]
    query += [("new", key) for key in new]
    query += [("undo", "yes")] if undo else []
    query += [("then", then)] if then else []
    return f"{address}?{urlencode(query)}" if query else address
