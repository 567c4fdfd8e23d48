"""URLs of the review queue, the other worklists and the order export, below `/admin/`."""

from collections.abc import Callable
from typing import Final

from django.contrib.admin import AdminSite
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from backoffice.orders.exports import view as exports
from backoffice.orders.payment_decisions import decisions
from backoffice.orders.review import page, polling, queue, queue_state
from backoffice.orders.unresolved import late_payments, orphan_proofs, refunds

_VIEWS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("queue/", queue.queue_view, "desk_queue"),
    ("queue/state/", queue_state.queue_state_view, "desk_queue_state"),
    ("queue/<id:order_id>/", page.review_view, "desk_review"),
    ("queue/<id:order_id>/state/", polling.review_state_view, "desk_review_state"),
    ("queue/<id:order_id>/ask-again/", decisions.ask_for_better_proof_view, "desk_ask_again"),
    ("orphans/", orphan_proofs.orphan_proofs_view, "desk_orphans"),
    ("orphans/<id:proof_id>/", orphan_proofs.orphan_proof_view, "desk_orphan"),
    ("orphans/<id:proof_id>/next/", orphan_proofs.next_orphan_proof_view, "desk_orphan_next"),
    ("orphans/<id:proof_id>/attach/", orphan_proofs.attach_proof_view, "desk_orphan_attach"),
    (
        "orphans/<id:proof_id>/make-order/",
        orphan_proofs.make_order_view,
        "desk_orphan_make_order",
    ),
    (
        "orphans/<id:proof_id>/refund/",
        orphan_proofs.refund_second_payment_view,
        "desk_orphan_refund",
    ),
    ("orphans/<id:proof_id>/dismiss/", orphan_proofs.dismiss_proof_view, "desk_orphan_dismiss"),
    ("late/", late_payments.late_payments_view, "desk_late"),
    ("late/<id:order_id>/free/", late_payments.free_ticket_numbers_view, "desk_late_free"),
    (
        "late/<id:order_id>/replace/",
        late_payments.replace_ticket_numbers_view,
        "desk_late_replace",
    ),
    ("late/<id:order_id>/refund/", late_payments.note_refund_view, "desk_late_refund"),
    ("refunds/", refunds.refunds_view, "desk_refunds"),
    ("export/", exports.export_view, "desk_export"),
)


def build_order_urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL patterns, for staff only; the views check their own permissions."""
    return [path(route, site.admin_view(view), name=name) for route, view, name in _VIEWS]
