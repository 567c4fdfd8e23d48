"""Opens every screen of the back office over a busy month's books, and times it.

A million numbers, a hundred thousand orders, a thousand waiting proofs. Each screen is opened as
production serves it, by a member of the group Seller: cold, over a new connection and with nothing
remembered in the process, then warm.
"""

from typing import TYPE_CHECKING

from tests.benchmarks.support import pages
from tests.benchmarks.support.pages import Page as Screen

if TYPE_CHECKING:
    from django.test import Client


def run() -> None:
    """Measure on both databases.

    Raises:
        SystemExit: if a screen takes more than it may.

    """
    pages.measure_pages("Screens", visitor=_seller, pages=screens)


def _seller() -> "Client":
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username="sofia"), "backoffice.people.backends.People")
    return client


def screens() -> list[Screen]:
    """List every screen, with one of what it shows."""
    from django.urls import reverse

    from shared.raffles.models import Order, PaymentProof, Raffle

    def at(name: str, *args: object) -> str:
        return reverse(f"admin:{name}", args=args)

    raffle = Raffle.objects.order_by("pk").values_list("pk", flat=True)[0]
    waiting = Order.objects.filter(under_review_since__isnull=False).order_by("pk")
    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    orphan = PaymentProof.objects.filter(order=None, verdict="PENDING")[0]
    cash = Order.objects.filter(contact=None)[0]
    buyer, orders = paid.contact, at("raffles_order_changelist")
    assert buyer is not None
    return [
        Screen("dashboard", at("index")),
        Screen("queue", at("desk_queue")),
        Screen("queue, last page", at("desk_queue") + "?p=20"),
        Screen("queue of a raffle", at("desk_queue") + f"?raffle={raffle}"),
        Screen("review", at("desk_review", waiting[10].pk)),
        Screen("review: is it still so", at("desk_review_state", waiting[10].pk)),
        Screen("orphans", at("desk_orphans")),
        Screen("orphan", at("desk_orphan", orphan.pk)),
        Screen("orphan, orders searched", at("desk_orphan", orphan.pk) + "?q=Ana"),
        Screen("late payments", at("desk_late")),
        Screen("orders", orders),
        Screen("orders, last page", orders + "?p=1000"),
        Screen("orders paid", orders + "?status=PAID"),
        Screen("orders of a raffle", orders + f"?raffle={raffle}"),
        Screen("orders under review", orders + "?review=waiting"),
        Screen("orders by amount", orders + "?o=4"),
        Screen("orders: a code", orders + f"?q={str(paid.code).lower()}"),
        Screen("orders: a phone", orders + f"?q=%2B{buyer.wa_id}"),
        Screen("orders: part of a phone", orders + f"?q={str(buyer.wa_id)[-5:]}"),
        Screen("orders: a name", orders + "?q=Ana+Torres"),
        Screen("orders: a common name", orders + "?q=Ana"),
        Screen("orders: nobody", orders + "?q=Xavier"),
        Screen("orders: a number", orders + f"?q=%23007919&raffle={raffle}"),
        Screen("orders: a number anywhere", orders + "?q=7919"),
        Screen("order", at("raffles_order_change", paid.pk)),
        Screen("order for cash", at("raffles_order_change", cash.pk)),
        Screen("order, history", at("raffles_order_history", paid.pk)),
        Screen("proofs", at("raffles_paymentproof_changelist")),
        Screen("proof", at("raffles_paymentproof_change", orphan.pk)),
        Screen("proof, file", at("raffles_paymentproof_file", orphan.pk)),
        Screen("proof, thumbnail", at("raffles_paymentproof_thumbnail", orphan.pk)),
        Screen("raffles", at("raffles_raffle_changelist")),
        Screen("raffle", at("raffles_raffle_change", raffle)),
        Screen("raffle, new", at("raffles_raffle_add")),
        Screen("numbers, overview", at("desk_numbers", raffle)),
        Screen("numbers, a page", at("desk_numbers", raffle) + "?page=500"),
        Screen("sell for cash", at("desk_sell", raffle)),
        Screen("outbox", at("whatsapp_outboundmessage_changelist")),
        Screen("outbox, failed", at("whatsapp_outboundmessage_changelist") + "?status=FAILED"),
        Screen("outbox, a buyer", at("whatsapp_outboundmessage_changelist") + "?q=Torres"),
        Screen("inbox", at("whatsapp_inboundmessage_changelist")),
        Screen("inbox, a buyer", at("whatsapp_inboundmessage_changelist") + "?q=Torres"),
        Screen("contacts", at("whatsapp_whatsappcontact_changelist")),
        Screen("contacts, a name", at("whatsapp_whatsappcontact_changelist") + "?q=Torres"),
        Screen("contact", at("whatsapp_whatsappcontact_change", buyer.pk)),
        Screen("alarms", at("whatsapp_alarm_changelist")),
        Screen("business numbers", at("whatsapp_businessnumber_changelist")),
        Screen("what people did", at("admin_logentry_changelist")),
        Screen("export", at("desk_export")),
        Screen(
            "export, first bytes of CSV",
            at("desk_export"),
            {"what": "numbers", "raffle": "", "status": "", "format": "csv"},
        ),
        Screen("security", at("desk_security")),
    ]
