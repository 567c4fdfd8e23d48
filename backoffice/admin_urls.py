"""Where the pages of the seller's day are, below `/admin/`."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.orders import decisions, late_payments, orphan_proofs
from backoffice.orders.exports import view
from backoffice.orders.review import page, polling, queue
from backoffice.raffles import cash_sale, number_map


def build_url_patterns(site: AdminSite) -> list[URLPattern]:
    """Give the addresses, each for staff alone; the views ask for their own permissions."""

    def desk(route: str, view: Callable[..., Any], name: str) -> URLPattern:
        return path(route, site.admin_view(view), name=f"desk_{name}")

    return [
        desk("queue/", queue.queue_view, "queue"),
        desk("queue/<int:order_id>/", page.review_view, "review"),
        desk("queue/<int:order_id>/state/", polling.review_state_view, "review_state"),
        desk("queue/<int:order_id>/ask-again/", decisions.ask_for_better_proof_view, "ask_again"),
        desk("orphans/", orphan_proofs.orphan_proofs_view, "orphans"),
        desk("orphans/<int:proof_id>/", orphan_proofs.orphan_proof_view, "orphan"),
        desk("orphans/<int:proof_id>/next/", orphan_proofs.next_orphan_proof_view, "orphan_next"),
        desk("orphans/<int:proof_id>/attach/", orphan_proofs.attach_proof_view, "orphan_attach"),
        desk(
            "orphans/<int:proof_id>/make-order/", orphan_proofs.make_order_view, "orphan_make_order"
        ),
        desk("orphans/<int:proof_id>/dismiss/", orphan_proofs.dismiss_proof_view, "orphan_dismiss"),
        desk("late/", late_payments.late_payments_view, "late"),
        desk("late/<int:order_id>/free/", late_payments.free_ticket_numbers_view, "late_free"),
        desk(
            "late/<int:order_id>/replace/",
            late_payments.replace_ticket_numbers_view,
            "late_replace",
        ),
        desk("late/<int:order_id>/refund/", late_payments.note_refund_view, "late_refund"),
        desk("sell/<int:raffle_id>/", cash_sale.cash_sale_view, "sell"),
        desk("numbers/<int:raffle_id>/", number_map.number_map_view, "numbers"),
        desk("export/", view.export_view, "export"),
    ]
