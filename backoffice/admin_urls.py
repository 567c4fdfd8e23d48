"""Where the pages of the seller's day are, below `/admin/`."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.orders import decisions, late_payments, orphan_proofs
from backoffice.orders.exports import view
from backoffice.orders.review import page, polling, queue
from backoffice.raffles import cash_sale, number_map


def paths(site: AdminSite) -> list[URLPattern]:
    """Give the addresses, each for staff alone; the views ask for their own permissions."""

    def desk(route: str, view: Callable[..., Any], name: str) -> URLPattern:
        return path(route, site.admin_view(view), name=f"desk_{name}")

    return [
        desk("queue/", queue.page, "queue"),
        desk("queue/<int:order_id>/", page.page, "review"),
        desk("queue/<int:order_id>/state/", polling.state, "review_state"),
        desk("queue/<int:order_id>/ask-again/", decisions.ask_again, "ask_again"),
        desk("orphans/", orphan_proofs.page, "orphans"),
        desk("orphans/<int:proof_id>/", orphan_proofs.one, "orphan"),
        desk("orphans/<int:proof_id>/next/", orphan_proofs.following, "orphan_next"),
        desk("orphans/<int:proof_id>/attach/", orphan_proofs.attach, "orphan_attach"),
        desk("orphans/<int:proof_id>/make-order/", orphan_proofs.make_order, "orphan_make_order"),
        desk("orphans/<int:proof_id>/dismiss/", orphan_proofs.dismiss, "orphan_dismiss"),
        desk("late/", late_payments.page, "late"),
        desk("late/<int:order_id>/free/", late_payments.free_numbers, "late_free"),
        desk("late/<int:order_id>/replace/", late_payments.replace, "late_replace"),
        desk("late/<int:order_id>/refund/", late_payments.note_refund, "late_refund"),
        desk("sell/<int:raffle_id>/", cash_sale.page, "sell"),
        desk("numbers/<int:raffle_id>/", number_map.page, "numbers"),
        desk("export/", view.export, "export"),
    ]
