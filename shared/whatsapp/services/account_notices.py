"""What follows from the things Meta says about the account and its numbers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.core.bulk_insert import insert_new
from shared.whatsapp.json_reader import items, mapping, string
from shared.whatsapp.models import AccountNotice
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.inbox.contact_matching import Sender
from shared.whatsapp.webhook_items import IdentityChange, NoticeItem

_DETAIL_LENGTH: Final = 2_000


def store(notices: Sequence[NoticeItem], *, now: datetime) -> None:
    """Keep notices, each once, and act upon those that are new: alarms, pauses, new user ids."""
    if not notices:
        return
    keys = [notice.dedupe_key for notice in notices]
    known = set(
        AccountNotice.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True)
    )
    fresh = sorted(
        (notice for notice in notices if notice.dedupe_key not in known),
        key=lambda notice: notice.dedupe_key,
    )
    insert_new(
        AccountNotice,
        [
            {
                "dedupe_key": notice.dedupe_key,
                "waba_id": notice.waba_id,
                "field": notice.field,
                "payload": notice.payload,
                "needs_attention": notice.needs_attention,
                "received_at": now,
            }
            for notice in fresh
        ],
        unique=["dedupe_key"],
    )
    for notice in fresh:
        _act(notice, now=now)


def _act(notice: NoticeItem, *, now: datetime) -> None:
    if notice.identity_changes:
        contacts.find_or_create([_sender(change) for change in notice.identity_changes], now=now)
    if notice.needs_attention:
        alarms.sound(
            f"notice:{notice.field}:{notice.title}",
            title=notice.title or notice.field,
            detail=str(notice.payload)[:_DETAIL_LENGTH],
            phone_number_id=notice.phone_number_id,
            now=now,
        )
    value = mapping(notice.payload, "value") or notice.payload
    if notice.field == "account_update" and forbids_messages(value):
        event = string(value, "event")
        for number in _numbers_of(notice, value):
            business_numbers.pause(number, code=None, reason=f"Meta reports {event}.", now=now)


def forbids_messages(value: Any) -> bool:
    """Whether an account update means that messages are refused from now on.

    A restriction of calls alone does not, nor a ban that is lifted.
    Source: Meta's page "account_update webhook reference".
    """
    match string(value, "event"):
        case "ACCOUNT_DELETED":
            return True
        case "DISABLED_UPDATE":
            return string(value, "ban_info", "waba_ban_state") != "REINSTATE"
        case "ACCOUNT_RESTRICTION":
            kinds = [string(item, "restriction_type") for item in _restrictions(value)]
            return not kinds or any("CALL" not in kind for kind in kinds)
        case _:
            return False


def _restrictions(value: Any) -> list[Any]:
    return items(value.get("restriction_info"))


def _numbers_of(notice: NoticeItem, value: Any) -> Sequence[str]:
    if notice.phone_number_id:
        return [notice.phone_number_id]
    named = string(value, "display_phone_number") or string(value, "phone_number")
    return business_numbers.ids_of_account(display_number=named)


def _sender(change: IdentityChange) -> Sender:
    return Sender(
        phone_number_id=change.phone_number_id,
        user_id=change.user_id,
        wa_id=change.wa_id,
        parent_user_id=change.parent_user_id,
        previous_user_id=change.previous_user_id,
    )
