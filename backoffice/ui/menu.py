"""The menu: where everything is, in the order of the seller's day, for who may look at it."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu; `needs` is what lets a person look, empty for everybody."""

    name: str
    icon: str
    view: str
    needs: str = ""
    namespace: str = "admin:"

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(f"{self.namespace}{self.view}")


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A line as the page draws it; `here` where the page belongs to it."""

    name: str
    icon: str
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """Lines below a heading."""

    name: str
    entries: list[ShownEntry]


GROUPS: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    ("", (Entry("Dashboard", "fa-th-large", "index"),)),
    (
        "Waiting for you",
        (
            Entry("Review queue", "fa-receipt", "desk_queue", "raffles.view_order"),
            Entry("Late payments", "fa-balance-scale", "desk_late", "raffles.view_order"),
            Entry("Orphan proofs", "fa-question", "desk_orphans", "raffles.view_paymentproof"),
            Entry("Alarms", "fa-bell", "whatsapp_alarm_changelist", "whatsapp.view_alarm"),
        ),
    ),
    (
        "Sales",
        (
            Entry("Raffles", "fa-ticket-alt", "raffles_raffle_changelist", "raffles.view_raffle"),
            Entry("Orders", "fa-shopping-basket", "raffles_order_changelist", "raffles.view_order"),
            Entry(
                "Payment proofs",
                "fa-file-image",
                "raffles_paymentproof_changelist",
                "raffles.view_paymentproof",
            ),
            Entry("Export", "fa-file-export", "desk_export", "raffles.export_order"),
        ),
    ),
    (
        "Messages",
        (
            Entry(
                "Contacts",
                "fa-address-book",
                "whatsapp_whatsappcontact_changelist",
                "whatsapp.view_whatsappcontact",
            ),
            Entry(
                "Messages in",
                "fa-inbox",
                "whatsapp_inboundmessage_changelist",
                "whatsapp.view_inboundmessage",
            ),
            Entry(
                "Messages out",
                "fa-paper-plane",
                "whatsapp_outboundmessage_changelist",
                "whatsapp.view_outboundmessage",
            ),
            Entry(
                "Business numbers",
                "fa-phone",
                "whatsapp_businessnumber_changelist",
                "whatsapp.view_businessnumber",
            ),
            Entry(
                "Account notices",
                "fa-bullhorn",
                "whatsapp_accountnotice_changelist",
                "whatsapp.view_accountnotice",
            ),
            Entry(
                "Unreadable items",
                "fa-unlink",
                "whatsapp_unreadableitem_changelist",
                "whatsapp.view_unreadableitem",
            ),
        ),
    ),
    (
        "Automation",
        (
            Entry("Events", "fa-bolt", "events_event_changelist", "events.view_event"),
            Entry(
                "Deliveries",
                "fa-truck",
                "events_eventdelivery_changelist",
                "events.view_eventdelivery",
            ),
            Entry(
                "Event endpoints",
                "fa-plug",
                "events_eventendpoint_changelist",
                "events.view_eventendpoint",
            ),
            Entry("API tokens", "fa-key", "api_apitoken_changelist", "api.view_apitoken"),
            Entry("API reference", "fa-book", "api_docs", "events.view_event", namespace=""),
        ),
    ),
    (
        "People",
        (
            Entry("People", "fa-user", "auth_user_changelist", "auth.view_user"),
            Entry("Roles", "fa-users", "auth_group_changelist", "auth.view_group"),
            Entry("Who did what", "fa-history", "admin_logentry_changelist", "admin.view_logentry"),
            Entry("Your security", "fa-shield-alt", "desk_security"),
        ),
    ),
)


def of(request: HttpRequest) -> list[ShownGroup]:
    """Give the menu of the person who asks, with the line of this page marked."""
    lines = [entry for _, entries in GROUPS for entry in entries if _may(request, entry)]
    addresses = {entry: entry.address for entry in lines}
    here = _nearest(request.path, list(addresses.values()))
    groups = []
    for name, entries in GROUPS:
        shown = [
            ShownEntry(entry.name, entry.icon, addresses[entry], addresses[entry] == here)
            for entry in entries
            if entry in addresses
        ]
        if shown:
            groups.append(ShownGroup(name, shown))
    return groups


def _may(request: HttpRequest, entry: Entry) -> bool:
    return not entry.needs or request.user.has_perm(entry.needs)


def _nearest(path: str, addresses: list[str]) -> str:
    """Find the line a page is below; the dashboard is above all pages, so it must match fully."""
    root = reverse("admin:index")
    below = [
        found for found in addresses if path == found or (found != root and path.startswith(found))
    ]
    return max(below, key=len, default="")
