"""Benchmark of every back office screen with the data of a busy month.

The database has a million ticket numbers, a hundred thousand orders and a thousand waiting proofs.
A member of the group Seller opens each screen with production settings, cold (new database
connection, empty caches) and then warm.
"""

from typing import TYPE_CHECKING

from tests.benchmarks.support import pages
from tests.benchmarks.support.figures import Figure, Options
from tests.benchmarks.support.pages import Page as Screen

if TYPE_CHECKING:
    from django.test import Client


def run(options: Options) -> list[Figure]:
    """Measure every page."""
    return pages.measure_pages("screens", options, visitor=log_in_seller, pages=list_screens)


def log_in_seller() -> "Client":
    """Return a client with the session of a member of the group Seller."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username="sofia"), "backoffice.people.backends.People")
    return client


def list_screens() -> list[Screen]:
    """Return every screen, with sample objects."""
    from django.urls import reverse

    from shared.raffles.models import Order, PaymentProof, Raffle

    def reverse_admin(name: str, *args: object) -> str:
        return reverse(f"admin:{name}", args=args)

    raffle = Raffle.objects.order_by("pk").values_list("pk", flat=True)[0]
    waiting = Order.objects.filter(under_review_since__isnull=False).order_by("pk")
    paid = Order.objects.filter(status="PAID", contact__isnull=False).select_related("contact")[0]
    orphan = PaymentProof.objects.filter(order=None, verdict="PENDING")[0]
    cash = Order.objects.filter(contact=None)[0]
    buyer, orders = paid.contact, reverse_admin("raffles_order_changelist")
    assert buyer is not None
    return [
        Screen("dashboard", reverse_admin("index")),
        Screen("queue", reverse_admin("desk_queue")),
        Screen("queue, last page", reverse_admin("desk_queue") + "?p=20"),
        Screen("queue of a raffle", reverse_admin("desk_queue") + f"?raffle={raffle}"),
        Screen("review", reverse_admin("desk_review", waiting[10].pk)),
        Screen("review: is it still so", reverse_admin("desk_review_state", waiting[10].pk)),
        Screen("orphans", reverse_admin("desk_orphans")),
        Screen("orphan", reverse_admin("desk_orphan", orphan.pk)),
        Screen("orphan, orders searched", reverse_admin("desk_orphan", orphan.pk) + "?q=Ana"),
        Screen("late payments", reverse_admin("desk_late")),
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
        Screen("order", reverse_admin("raffles_order_change", paid.pk)),
        Screen("order for cash", reverse_admin("raffles_order_change", cash.pk)),
        Screen("order, history", reverse_admin("raffles_order_history", paid.pk)),
        Screen("proofs", reverse_admin("raffles_paymentproof_changelist")),
        Screen("proof", reverse_admin("raffles_paymentproof_change", orphan.pk)),
        Screen("proof, file", reverse_admin("raffles_paymentproof_file", orphan.pk)),
        Screen("proof, thumbnail", reverse_admin("raffles_paymentproof_thumbnail", orphan.pk)),
        Screen("raffles", reverse_admin("raffles_raffle_changelist")),
        Screen("raffle", reverse_admin("raffles_raffle_change", raffle)),
        Screen("raffle, new", reverse_admin("raffles_raffle_add")),
        Screen("numbers, overview", reverse_admin("desk_numbers", raffle)),
        Screen("numbers, a page", reverse_admin("desk_numbers", raffle) + "?page=500"),
        Screen("sell for cash", reverse_admin("desk_sell", raffle)),
        Screen("outbox", reverse_admin("whatsapp_outboundmessage_changelist")),
        Screen(
            "outbox, failed",
            reverse_admin("whatsapp_outboundmessage_changelist") + "?status=FAILED",
        ),
        Screen(
            "outbox, a buyer", reverse_admin("whatsapp_outboundmessage_changelist") + "?q=Torres"
        ),
        Screen("inbox", reverse_admin("whatsapp_inboundmessage_changelist")),
        Screen("inbox, a buyer", reverse_admin("whatsapp_inboundmessage_changelist") + "?q=Torres"),
        Screen("contacts", reverse_admin("whatsapp_whatsappcontact_changelist")),
        Screen(
            "contacts, a name", reverse_admin("whatsapp_whatsappcontact_changelist") + "?q=Torres"
        ),
        Screen("contact", reverse_admin("whatsapp_whatsappcontact_change", buyer.pk)),
        Screen("alarms", reverse_admin("whatsapp_alarm_changelist")),
        Screen("business numbers", reverse_admin("whatsapp_businessnumber_changelist")),
        Screen("what people did", reverse_admin("admin_logentry_changelist")),
        Screen("export", reverse_admin("desk_export")),
        Screen(
            "export, first bytes of CSV",
            reverse_admin("desk_export"),
            {"what": "numbers", "raffle": "", "status": "", "format": "csv"},
        ),
        Screen("security", reverse_admin("desk_security")),
    ]
