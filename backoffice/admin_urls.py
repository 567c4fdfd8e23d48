"""Where the pages of the seller's day are, below `/admin/`."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from backoffice.desk import (
    cash,
    decisions,
    exports,
    late,
    news,
    numbers,
    orphans,
    queue,
    reviewing,
)


def paths(site: AdminSite) -> list[URLPattern]:
    """Give the addresses, each for staff alone; the views ask for their own permissions."""

    def desk(route: str, view: Callable[..., Any], name: str) -> URLPattern:
        return path(route, site.admin_view(view), name=f"desk_{name}")

    return [
        desk("queue/", queue.page, "queue"),
        desk("queue/<int:order_id>/", reviewing.page, "review"),
        desk("queue/<int:order_id>/state/", news.state, "review_state"),
        desk("queue/<int:order_id>/ask-again/", decisions.ask_again, "ask_again"),
        desk("orphans/", orphans.page, "orphans"),
        desk("orphans/<int:proof_id>/", orphans.one, "orphan"),
        desk("orphans/<int:proof_id>/next/", orphans.following, "orphan_next"),
        desk("orphans/<int:proof_id>/attach/", orphans.attach, "orphan_attach"),
        desk("orphans/<int:proof_id>/make-order/", orphans.make_order, "orphan_make_order"),
        desk("orphans/<int:proof_id>/dismiss/", orphans.dismiss, "orphan_dismiss"),
        desk("late/", late.page, "late"),
        desk("late/<int:order_id>/free/", late.free_numbers, "late_free"),
        desk("late/<int:order_id>/replace/", late.replace, "late_replace"),
        desk("late/<int:order_id>/refund/", late.note_refund, "late_refund"),
        desk("sell/<int:raffle_id>/", cash.page, "sell"),
        desk("numbers/<int:raffle_id>/", numbers.page, "numbers"),
        desk("export/", exports.export, "export"),
    ]
