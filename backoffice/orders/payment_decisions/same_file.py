"""The second question before a payment is confirmed whose proof also came with another order."""

from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from backoffice.orders.form_values import parse_note
from backoffice.orders.proofs import proof_cards
from backoffice.orders.review.next_page import parse_decision_origin
from backoffice.ui import display
from backoffice.ui.actions import ActionRefused
from shared.core.constants import MAX_NOTE_LENGTH
from shared.raffles.models import Order

ANSWER_FIELD: Final = "same_file_answer"
"""Form field with the reviewer's answer."""

_CODES_SHOWN: Final = 5
_REPEATED_FIELDS: Final = ("seen", "then", "raffle", "asked", "waited", "money", "note")
"""Fields of the confirmation that the second form sends again."""


def list_orders_with_same_file(order: Order) -> list[str]:
    """Return the codes of other orders that a pending proof of this one also came with."""
    pending = [proof for proof in order.proofs.all() if proof_cards.is_proof_pending(proof)]
    found = proof_cards.load_identical_proofs(pending)
    return sorted({str(other.order) for others in found.values() for other in others})


def build_reason(request: HttpRequest, codes: list[str]) -> str:
    """Return the answer to the second question for the order's history.

    Raises:
        ActionRefused: The answer is empty.

    """
    answer = parse_note(request, field=ANSWER_FIELD)
    if not answer:
        raise ActionRefused("Say in a few words why this file is right; nothing was changed.")
    return f"The very same file came with {_join_codes(codes)}: {answer}"[:MAX_NOTE_LENGTH]


def render_question(request: HttpRequest, order: Order, codes: list[str]) -> HttpResponse:
    """Return the page that asks once more; its form carries the first one's fields."""
    fields = [(name, value) for name in _REPEATED_FIELDS for value in request.POST.getlist(name)]
    context = {
        "order": order,
        "total": display.format_order_total(order),
        "codes": _join_codes(codes),
        "fields": fields,
        "answer_field": ANSWER_FIELD,
        "back": parse_decision_origin(request.POST).build_return_url(order, new=()),
        "title": f"Confirm {order} all the same?",
    }
    return render(
        request, "admin/raffles/order/same_file.html", admin.site.each_context(request) | context
    )


def _join_codes(codes: list[str]) -> str:
    more = f" and {len(codes) - _CODES_SHOWN} more" if len(codes) > _CODES_SHOWN else ""
    return ", ".join(codes[:_CODES_SHOWN]) + more
