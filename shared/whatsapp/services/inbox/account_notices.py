"""Account notices from Meta and their consequences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.core.bulk_insert import insert_new_rows
from shared.whatsapp.json_reader import read_items, read_mapping, read_string
from shared.whatsapp.models import AccountNotice
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.inbox.contact_matching import Sender
from shared.whatsapp.webhook_items import IdentityChange, NoticeItem

_DETAIL_LENGTH: Final = 2_000


def store_notices(notices: Sequence[NoticeItem], *, now: datetime) -> None:
    """Store notices, each once, and act on new ones: alarms, pauses, changed user ids."""
    if not notices:
        return
    keys = [notice.dedupe_key for notice in notices]
    known = set(
        AccountNotice.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True)
    )
    new_notices = sorted(
        (notice for notice in notices if notice.dedupe_key not in known),
        key=lambda notice: notice.dedupe_key,
    )
    insert_new_rows(
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
            for notice in new_notices
        ],
        unique=["dedupe_key"],
    )
    for notice in new_notices:
        _act_on_notice(notice, now=now)


def _act_on_notice(notice: NoticeItem, *, now: datetime) -> None:
    if notice.identity_changes:
        contacts.find_or_create_contacts(
            [_build_sender(change) for change in notice.identity_changes], now=now
        )
    if notice.needs_attention:
        alarms.sound_alarm(
            f"notice:{notice.field}:{notice.title}",
            title=notice.title or notice.field,
            detail=str(notice.payload)[:_DETAIL_LENGTH],
            phone_number_id=notice.phone_number_id,
            now=now,
        )
    value = read_mapping(notice.payload, "value") or notice.payload
    if notice.field == "account_update" and forbids_messages(value):
        event = read_string(value, "event")
        for number in _find_business_numbers(notice, value):
            business_numbers.pause_sending(
                number, code=None, reason=f"Meta reports {event}.", now=now
            )


def forbids_messages(value: Any) -> bool:
    """Return whether an account update means that messages are refused from now on.

    Neither a restriction of calls alone nor the end of a ban does.

    Source: Meta's page "account_update webhook reference".
    """
    match read_string(value, "event"):
        case "ACCOUNT_DELETED":
            return True
        case "DISABLED_UPDATE":
            return read_string(value, "ban_info", "waba_ban_state") != "REINSTATE"
        case "ACCOUNT_RESTRICTION":
            kinds = [read_string(item, "restriction_type") for item in _list_restrictions(value)]
            return not kinds or any("CALL" not in kind for kind in kinds)
        case _:
            return False


def _list_restrictions(value: Any) -> list[Any]:
    return read_items(value.get("restriction_info"))


def _find_business_numbers(notice: NoticeItem, value: Any) -> Sequence[str]:
    if notice.phone_number_id:
        return [notice.phone_number_id]
    shown = read_string(value, "display_phone_number") or read_string(value, "phone_number")
    return business_numbers.list_phone_number_ids(display_number=shown)


def _build_sender(change: IdentityChange) -> Sender:
    return Sender(
        phone_number_id=change.phone_number_id,
        user_id=change.user_id,
        wa_id=change.wa_id,
        parent_user_id=change.parent_user_id,
        previous_user_id=change.previous_user_id,
    )
