"""Pages on which a person joins two contacts, says that they are two, or undoes a join."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.messaging import chat_view
from backoffice.messaging.channel_actions import BLOCK_CONTACT_PERMISSION
from backoffice.messaging.chat_view import Conversation
from backoffice.messaging.contacts import contact_page, contact_search
from backoffice.messaging.contacts.contact_page import ContactOrderRow
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, build_staff_actor, run_action
from backoffice.ui.ids import parse_digits
from backoffice.ui.permissions import require_permission
from shared.core.enums import OrderStatus, Verdict
from shared.raffles.models import Order, PaymentProof
from shared.use_cases.contacts import contact_joins
from shared.whatsapp.models import ContactJoin, JoinSuggestion, WhatsAppContact
from shared.whatsapp.services.inbox import contact_joins as joins
from shared.whatsapp.services.inbox import join_suggestions

JOIN_CONTACT_PERMISSION: Final = BLOCK_CONTACT_PERMISSION
_MAX_CONTACTS_FOUND: Final = 20
_MAX_ORDERS: Final = 10
_MAX_MESSAGES: Final = 4


@dataclass(frozen=True, slots=True)
class ContactSide:
    """What one of two contacts holds.

    Attributes:
        contact: the contact.
        name: name and phone number.
        facts: further details as names and values.
        orders: the newest orders.
        order_count: the number of all orders.
        talk: the last messages.

    """

    contact: WhatsAppContact
    name: str
    facts: Sequence[tuple[str, str]]
    orders: Sequence[ContactOrderRow]
    order_count: int
    talk: Conversation


@dataclass(frozen=True, slots=True)
class SuggestedJoin:
    """Another contact that may be the same person, and why."""

    other: WhatsAppContact
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class JoinCard:
    """The card about joins on a contact's page.

    Attributes:
        may_join: whether the user may join contacts.
        suggestions: contacts that may be the same person.
        join: the last join of or into the contact; None without one.
        other: the other contact of that join; None without one.
        was_joined: whether the contact was joined into the other one, and not the other way round.
        may_undo: whether that join can still be undone.
        at: when they were joined.

    """

    may_join: bool
    suggestions: Sequence[SuggestedJoin]
    join: ContactJoin | None
    other: WhatsAppContact | None
    was_joined: bool
    may_undo: bool
    at: str


def load_join_card(contact: WhatsAppContact, *, request: HttpRequest) -> JoinCard:
    """Return the card about joins, from two queries if there was none."""
    join = joins.find_last_join(contact)
    was_joined = join is not None and join.joined_id == contact.pk
    other = None if join is None else (join.kept if was_joined else join.joined)
    return JoinCard(
        may_join=request.user.has_perm(JOIN_CONTACT_PERMISSION),
        suggestions=[
            _describe_suggestion(suggestion, contact)
            for suggestion in join_suggestions.list_open_suggestions(contact.pk)
        ],
        join=join,
        other=other,
        was_joined=was_joined,
        may_undo=join is not None and contact_joins.may_undo_join(join),
        at="" if join is None else display.format_time(join.at),
    )


def join_contact_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Search another contact, compare it with this one, and join the two."""
    require_permission(request, JOIN_CONTACT_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id, joined_into=None, erased_at=None)
    other = _find_other(contact, request.POST.get("other") or request.GET.get("other", ""))
    if request.method == "POST" and other is not None and request.POST.get("sure") == "yes":
        return _join(request, contact, other)
    searched = request.GET.get("q", "").strip()
    found = _search_contacts(contact, searched) if searched and other is None else []
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "opts": WhatsAppContact._meta,  # noqa: SLF001 - as Django's admin does
        "original": contact,
        "title": "Are they the same person?" if other else "Join with another contact",
        "searched": searched,
        "found": [(one.pk, display.format_contact(one)) for one in found[:_MAX_CONTACTS_FOUND]],
        "more": len(found) > _MAX_CONTACTS_FOUND,
        "other": other,
        "sides": [_load_side(one) for one in (contact, other)] if other else [],
    }
    return TemplateResponse(request, "admin/whatsapp/whatsappcontact/join.html", context)


@require_POST
def undo_join_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Undo the last join of or into a contact."""
    require_permission(request, JOIN_CONTACT_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    key = parse_digits(request.POST.get("join", ""))
    join = get_object_or_404(ContactJoin, pk=key)

    def act() -> ActionResult:
        contact_joins.undo_join(join.pk, by=build_staff_actor(request), now=timezone.now())
        for one in (join.kept, join.joined):
            audit_log.record_action(
                request, one, f"Undid the join of {join.joined} and {join.kept}"
            )
        return messages.SUCCESS, "The join is undone: each contact has again what was theirs."

    run_action(request, act)
    return _redirect_to_contact(contact.pk)


@require_POST
def keep_apart_view(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Record that two contacts are two people."""
    require_permission(request, JOIN_CONTACT_PERMISSION)
    contact = get_object_or_404(WhatsAppContact, pk=contact_id)
    other = get_object_or_404(WhatsAppContact, pk=parse_digits(request.POST.get("other", "")))

    def act() -> ActionResult:
        by = request.user.get_username()
        if not join_suggestions.settle_suggestion(contact.pk, other.pk, by=by, now=timezone.now()):
            return messages.INFO, "That was settled already; nothing was changed."
        for one in (contact, other):
            audit_log.record_action(request, one, f"Said that {contact} and {other} are two people")
        return messages.SUCCESS, "Noted: they are two people, and stay two contacts."

    run_action(request, act)
    return _redirect_to_contact(contact.pk)


def _join(request: HttpRequest, contact: WhatsAppContact, other: WhatsAppContact) -> HttpResponse:
    def act() -> ActionResult:
        now = timezone.now()
        name, other_name = display.format_contact(contact), display.format_contact(other)
        contact_joins.join_contacts(contact.pk, other.pk, by=build_staff_actor(request), now=now)
        sentence = f"Joined {other_name} into {name}"
        audit_log.record_action(request, contact, sentence)
        audit_log.record_action(request, other, sentence)
        return messages.SUCCESS, (
            f"{other_name} and {name} are one contact now. Until they write again, you can undo it "
            "on this page."
        )

    run_action(request, act)
    return _redirect_to_contact(contact.pk)


def _find_other(contact: WhatsAppContact, key: str) -> WhatsAppContact | None:
    other_id = parse_digits(key)
    return None if other_id is None else _query_others(contact).filter(pk=other_id).first()


def _search_contacts(contact: WhatsAppContact, term: str) -> list[WhatsAppContact]:
    others = _query_others(contact).filter(contact_search.build_contact_condition(term))
    return list(others.order_by("-pk")[: _MAX_CONTACTS_FOUND + 1])


def _query_others(contact: WhatsAppContact) -> QuerySet[WhatsAppContact]:
    others = WhatsAppContact.objects.filter(
        phone_number_id=contact.phone_number_id, joined_into=None, erased_at=None
    )
    return others.exclude(pk=contact.pk)


def _describe_suggestion(suggestion: JoinSuggestion, contact: WhatsAppContact) -> SuggestedJoin:
    other = suggestion.second if suggestion.first_id == contact.pk else suggestion.first
    return SuggestedJoin(other, display.format_contact(other), suggestion.reason)


def _load_side(contact: WhatsAppContact) -> ContactSide:
    orders = Order.objects.filter(contact=contact)
    newest = orders.select_related("raffle").prefetch_related("ledger").order_by("-id")
    owned = sum(
        orders.filter(status__in=[*Order.HOLDING]).values_list("quantity", flat=True).order_by()
    )
    proofs = PaymentProof.objects.filter(contact=contact)
    waiting = proofs.filter(verdict=Verdict.PENDING).exclude(order__status=OrderStatus.PAID)
    talk = chat_view.load_conversation(contact.pk, zone=settings.TIME_ZONE, limit=_MAX_MESSAGES)
    return ContactSide(
        contact=contact,
        name=display.format_contact(contact),
        facts=(
            ("Phone", contact_page.format_phone_number(contact) or "hidden"),
            ("User name", contact.username or "–"),
            ("Last wrote", display.format_time(contact.last_inbound_at)),
            ("Known since", display.format_time(contact.created_at)),
            ("Ticket numbers", str(owned)),
            ("Payment proofs", f"{proofs.count()}, of which {waiting.count()} wait"),
        ),
        orders=[contact_page.build_order_row(order) for order in newest[:_MAX_ORDERS]],
        order_count=orders.count(),
        talk=talk,
    )


def _redirect_to_contact(contact_id: int) -> HttpResponse:
    return redirect("admin:whatsapp_whatsappcontact_change", contact_id)
