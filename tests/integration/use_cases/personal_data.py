"""A buyer whose personal data is in every table that can hold it, and searches for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from backoffice.api.models import IdempotentRequest
from shared.core.enums import EventType, OutboxStatus, RejectReason
from shared.events.models import Event, EventDelivery, EventEndpoint
from shared.publishing import recorder
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services.payment_proofs import renditions
from shared.use_cases import cash_sales, payments, proof_files, reversals
from shared.use_cases.contacts import contact_joins
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    OutboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services import alarms
from shared.whatsapp.services.outbox import delivery_statuses, failure_reports
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.webhook_builders import (
    build_change_webhook,
    build_contact,
    build_message,
    build_status,
    build_webhook,
    store_webhooks,
)

PHONE: Final = "15550100001"
EARLIER_PHONE: Final = "15550100009"
USER_ID: Final = "US.4711Quetzal"
EARLIER_USER_ID: Final = "US.4710Quetzal"
SECRETS: Final = (
    *(PHONE, EARLIER_PHONE, USER_ID, EARLIER_USER_ID, "Quetzalina", "quetzalina", "quetzal.user"),
    *("zebra-text", "zebra-caption", "zebra-note", "zebra-reference", "zebra-wamid", "zebra-media"),
)
"""What must not be found after the erasure: ids, names and texts."""

BY: Final[Mapping[str, Any]] = {"by": build_staff_actor(), "now": NOON + 3 * MINUTE}
RECEIPT: Final = b"%PDF-1.4 a receipt of quetzalina"

type Rows = dict[tuple[str, Any], str]
"""Rows as JSON by model and primary key."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a buyer left behind: the contact, a refunded and a paid order, a cash sale."""

    contact: WhatsAppContact
    refunded: Order
    paid: Order
    cash: Order
    proof: PaymentProof


def dump_rows() -> Rows:
    """Return every row of every table."""
    return {
        (model.__name__, row.pk): json.dumps(
            {field.attname: _read_value(row, field) for field in row._meta.concrete_fields},
            cls=DjangoJSONEncoder,
            ensure_ascii=False,
        )
        for model in apps.get_models()
        for row in model._default_manager.all()
    }


def find_secrets(rows: Rows) -> dict[tuple[str, Any], list[str]]:
    """Return the secrets that rows contain, by row."""
    found = {key: [word for word in SECRETS if word in text] for key, text in rows.items()}
    return {key: words for key, words in found.items() if words}


def write_and_answer(*messages: Mapping[str, Any], name: str = "Quetzalina") -> BuyerChat:
    """Store messages from the buyer as the gateway does, answer them, and return the chat."""
    card = build_contact(name, phone=PHONE, user_id=USER_ID, username="quetzal.user")
    for message in messages:
        store_webhooks(build_webhook(message, contacts=[card]))
        chat = BuyerChat(WhatsAppContact.objects.get(wa_id=PHONE))
        chat.answer_waiting()
    return chat


def says(text: str) -> dict[str, Any]:
    """Return a text message of the buyer."""
    return build_message(phone=PHONE, user_id=USER_ID, text={"body": text})


def tell_story(raffle: Raffle) -> Story:
    """Let a buyer write, pay, be rejected, refunded, joined, and buy for cash; then fill the logs.

    Args:
        raffle: an open raffle, the only one.

    """
    chat = write_and_answer(says("hi zebra-text"), says("hi"))
    first = chat.buys()
    proof = _pay(chat, first, "zebra-wamid-1")
    payments.reject_payment(first.pk, reason=RejectReason.OTHER, note="zebra-note", **BY)
    _pay(chat, first, "zebra-wamid-2")
    payments.confirm_payment(first.pk, reason="zebra-note", **BY)
    confirmation = first.ledger.get().confirmation_id
    assert confirmation is not None
    reversals.refund_order(
        first.pk, confirmation_id=confirmation, note="zebra-note", reference="zebra-reference", **BY
    )
    second = chat.buys()
    _pay(chat, second, "zebra-wamid-3")
    payments.confirm_payment(second.pk, **BY)
    cash = _sell_for_cash(raffle)
    _join_earlier_contact(chat.contact)
    _send_and_fail(chat.contact)
    _fill_logs(chat.contact, second)
    chat.contact.refresh_from_db()
    return Story(
        chat.contact,
        Order.objects.get(pk=first.pk),
        Order.objects.get(pk=second.pk),
        cash,
        PaymentProof.objects.get(pk=proof.pk),
    )


def _read_value(row: Any, field: Any) -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return str(value) if field.get_internal_type() == "FileField" else value


def _pay(chat: BuyerChat, order: Order, wamid: str) -> PaymentProof:
    image = {"id": "zebra-media", "mime_type": "image/jpeg", "caption": f"zebra-caption {order}"}
    message = build_message(wamid, phone=PHONE, user_id=USER_ID, type="image", image=image)
    del message["text"]
    write_and_answer(message)
    proof = PaymentProof.objects.get(wa_message_id=wamid)
    assert proof.order_id == order.pk
    proof_files.keep_proof_file(
        proof.pk,
        content=RECEIPT + wamid.encode(),
        content_type="application/pdf",
        extension="pdf",
        now=NOON + 2 * MINUTE,
    )
    proof.refresh_from_db()
    for kind in renditions.RenditionKind:
        name = f"{proof.sha256[:2]}/{proof.sha256}-{kind}.jpg"
        storages["renditions"].save(name, ContentFile(b"a picture"))
    return proof


def _sell_for_cash(raffle: Raffle) -> Order:
    return cash_sales.sell_for_cash(
        raffle.pk,
        numbers=None,
        quantity=1,
        buyer_name="Quetzalina",
        buyer_phone="+1 (555) 010-0001",
        request_key=uuid4(),
        pivot=1,
        **BY,
    ).order


def _join_earlier_contact(contact: WhatsAppContact) -> None:
    card = build_contact("Quetzalina", phone=EARLIER_PHONE, user_id=EARLIER_USER_ID)
    message = build_message(phone=EARLIER_PHONE, user_id=EARLIER_USER_ID)
    store_webhooks(build_webhook(message, contacts=[card]), now=NOON - timedelta(days=1))
    earlier = WhatsAppContact.objects.get(wa_id=EARLIER_PHONE)
    BuyerChat(earlier, now=NOON - timedelta(days=1)).answer_waiting()
    contact_joins.join_contacts(contact.pk, earlier.pk, **BY)
    user = User.objects.create(username="rita")
    LogEntry.objects.log_actions(
        user.pk, [contact], CHANGE, "Joined Quetzalina into her", single_object=True
    )


def _send_and_fail(contact: WhatsAppContact) -> None:
    """Let Meta accept the messages, deliver one, and fail another."""
    for message in OutboundMessage.objects.filter(contact=contact):
        message.status, message.wa_message_id = OutboxStatus.SENT, f"zebra-wamid-out{message.pk}"
        message.save()
    last = OutboundMessage.objects.filter(contact=contact, about="").order_by("pk").last()
    assert last is not None
    status = build_status("delivered", wamid=last.wa_message_id)
    orphan = build_status("read", wamid="zebra-wamid-unknown")
    store_webhooks(build_webhook(statuses=[status, orphan]))
    delivery_statuses.apply_statuses(now=NOON + MINUTE, limit=100)
    with transaction.atomic():
        failure_reports.announce_failure(last, now=NOON)


def _fill_logs(contact: WhatsAppContact, order: Order) -> None:
    message = build_message(phone=PHONE, user_id=USER_ID, text={"body": "zebra-text"})
    store_webhooks(build_webhook(message, number="999"))
    UnreadableItem.objects.create(
        sha256="1", body=f'{{"from": "{PHONE}"'.encode(), reason="cut", received_at=NOON
    )
    store_webhooks(build_change_webhook("anything", {"wa_id": PHONE, "user_id": USER_ID}))
    assert AccountNotice.objects.exists()
    alarms.sound_alarm("not_sent:1", title="Not sent", detail=f"{PHONE} refused", now=NOON)
    assert Alarm.objects.filter(detail__contains=PHONE).exists()
    IdempotentRequest.objects.create(
        user=User.objects.get(),
        key="1",
        method="POST",
        path="/api/orders/1/confirm-payment",
        fingerprint="0",
        created_at=NOON,
        status=200,
        body=json.dumps({"code": str(order), "buyer": {"name": "Quetzalina", "phone": PHONE}}),
    )
    EventEndpoint.objects.create(name="n8n", url="https://n8n.example", created_at=NOON)
    recorder.sequence_events(now=NOON)
    hers = Event.objects.filter(subject=str(order))
    EventDelivery.objects.filter(event__in=hers).update(response=f"got {PHONE}")
    assert Event.objects.filter(type=EventType.MESSAGE_FAILED).exists()
    assert ContentType.objects.exists()
