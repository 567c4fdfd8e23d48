"""Export of everything that is stored about one buyer: JSON and the files they sent, in one ZIP."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet

from shared.publishing import representations
from shared.raffles.draws.draw_models import PrizeClaim
from shared.raffles.models import LedgerEntry, Order, OrderEvent, PaymentProof
from shared.use_cases.contacts.buyers import Buyer
from shared.whatsapp.models import ContactAlias, InboundMessage, OutboundMessage, WhatsAppContact

FORMAT: Final = "raffle-tickets-bot buyer export, version 1"
DATA_NAME: Final = "buyer.json"

_CONTACT_COLUMNS: Final = (
    *("phone_number_id", "wa_id", "user_id", "parent_user_id", "profile_name", "username"),
    *("state", "context", "last_inbound_at", "is_blocked", "adult_confirmed_at"),
    *("wants_person_at", "bot_paused_until", "stopped_at", "started_at"),
    "attribution",
    "created_at",
)
_INBOUND_COLUMNS: Final = ("wa_message_id", "type", "text", "payload", "sent_at", "received_at")
_OUTBOUND_COLUMNS: Final = (
    *("wa_message_id", "key", "about", "payload", "status", "delivery", "created_at", "sent_at"),
)
_PROOF_COLUMNS: Final = (
    *("id", "order__code", "status", "wa_message_id", "caption", "content_type", "size", "sha256"),
    *("arrived_at", "verdict", "reject_reason", "note", "reviewed_at"),
)
_LEDGER_COLUMNS: Final = ("order__code", "kind", "amount", "currency", "reference", "at")
_HISTORY_COLUMNS: Final = ("order__code", "action", "actor_kind", "reason", "at")
"""Without the names of staff, who are other people."""
_CLAIM_COLUMNS: Final = (
    *("order__code", "result__prize__title", "result__number", "winner_name", "winner_phone"),
    *("confirmed_at", "told_at", "name_consent", "claimed_at", "note"),
)


def write_buyer_archive(buyer: Buyer, target: IO[bytes], *, now: datetime) -> int:
    """Write the archive of a buyer, and return how many files they sent are in it.

    A receipt that somebody else sent for an order of theirs is that person's, with its bank
    account; the order only says that there was one.

    Args:
        buyer: from `buyers.find_buyer`.
        target: a file opened for writing.
        now: the present time.

    """
    theirs = Q(contact__in=buyer.contact_ids) | Q(contact=None)
    proofs = PaymentProof.objects.filter(theirs, pk__in=buyer.proof_ids).order_by("pk")
    with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        names = _add_files(archive, proofs)
        data = _collect_data(buyer, proofs, names=names, now=now)
        text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        archive.writestr(DATA_NAME, text)
    return len(names)


def _collect_data(
    buyer: Buyer, proofs: QuerySet[PaymentProof], *, names: Mapping[int, str], now: datetime
) -> dict[str, Any]:
    contacts = WhatsAppContact.objects.filter(pk__in=buyer.contact_ids)
    aliases = ContactAlias.objects.filter(contact__in=buyer.contact_ids)
    inbound = InboundMessage.objects.filter(contact__in=buyer.contact_ids)
    outbound = OutboundMessage.objects.filter(contact__in=buyer.contact_ids)
    orders = representations.query_represented_orders().filter(pk__in=buyer.order_ids)
    return {
        "format": FORMAT,
        "exported_at": now,
        "contacts": _list_rows(contacts, _CONTACT_COLUMNS),
        "earlier_user_ids": sorted(aliases.values_list("user_id", flat=True)),
        "orders": [_represent_order(order) for order in orders.order_by("pk")],
        "payments": _list_rows(
            LedgerEntry.objects.filter(order__in=buyer.order_ids), _LEDGER_COLUMNS
        ),
        "history": _list_rows(
            OrderEvent.objects.filter(order__in=buyer.order_ids), _HISTORY_COLUMNS
        ),
        "prizes_won": _list_rows(
            PrizeClaim.objects.filter(order__in=buyer.order_ids), _CLAIM_COLUMNS
        ),
        "payment_proofs": [
            {**row, "file": names.get(row["id"])} for row in _list_rows(proofs, _PROOF_COLUMNS)
        ],
        "messages_from_them": _list_rows(inbound, _INBOUND_COLUMNS),
        "messages_to_them": _list_rows(outbound, _OUTBOUND_COLUMNS),
    }


def _represent_order(order: Order) -> dict[str, Any]:
    return representations.represent_order(order).model_dump(mode="json")


def _list_rows(rows: QuerySet[Any], columns: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {name.replace("__", "_"): value for name, value in row.items()}
        for row in rows.order_by("pk").values(*columns)
    ]


def _add_files(archive: zipfile.ZipFile, proofs: QuerySet[PaymentProof]) -> dict[int, str]:
    """Add the files of payment proofs; return their names in the archive by id of the proof."""
    names: dict[int, str] = {}
    for proof in proofs.exclude(file="").iterator():
        name = f"files/proof-{proof.pk}{PurePosixPath(proof.file.name or '').suffix}"
        try:
            with proof.file.open("rb") as content:
                archive.writestr(name, content.read())
        except FileNotFoundError:
            continue
        names[proof.pk] = name
    return names
