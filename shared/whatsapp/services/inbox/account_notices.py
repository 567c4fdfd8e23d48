"""Account notices from Meta and their consequences."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from shared.core.statements.bulk_insert import insert_new_rows
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.json_reader import read_items, read_mapping, read_string, read_timestamp
from shared.whatsapp.models import AccountNotice
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts, user_preferences
from shared.whatsapp.services.inbox.contact_matching import Sender
from shared.whatsapp.webhook_items import IdentityChange, NoticeItem

_DETAIL_LENGTH: Final = 2_000

_ABOUT_OTHERS: Final = "It is about another WhatsApp account or number, so nothing was paused. "
_RESTRICTIONS_OF_REPLIES: Final = frozenset({"RESTRICTED_CUSTOMER_INITIATED_MESSAGING"})
_BAN_STATES_THAT_ALLOW_REPLIES: Final = frozenset({"REINSTATE", "SCHEDULE_FOR_DISABLE"})

_STORED_NOTICES: Final = CompiledQuery(
    lambda: (
        AccountNotice.objects.filter(IsIn("dedupe_key", "keys"))
        .order_by()
        .values_list("dedupe_key", flat=True)
    )
)


def store_notices(notices: Sequence[NoticeItem], *, now: datetime) -> None:
    """Store notices, each once, and act on new ones: alarms, pauses, user ids, STOP."""
    if not notices:
        return
    keys = [notice.dedupe_key for notice in notices]
    known = set(_STORED_NOTICES.fetch(keys=keys))
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
    if notice.identity_changes and business_numbers.is_ours(notice.phone_number_id):
        contacts.find_or_create_contacts(
            [_build_sender(change) for change in notice.identity_changes], now=now
        )
    value = read_mapping(notice.payload, "value") or notice.payload
    if notice.field == "user_preferences" and business_numbers.is_ours(notice.phone_number_id):
        user_preferences.apply_preferences(notice.phone_number_id, value, now=now)
    if notice.needs_attention:
        others = _ABOUT_OTHERS if _is_about_others(notice, value) else ""
        alarms.sound_alarm(
            f"notice:{notice.field}:{notice.title}",
            title=notice.title or notice.field,
            detail=(others + str(notice.payload))[:_DETAIL_LENGTH],
            phone_number_id=notice.phone_number_id,
            now=now,
        )
    if notice.field == "account_update" and forbids_replies(value, now=now):
        event = read_string(value, "event")
        for number in _find_business_numbers(notice, value):
            business_numbers.pause_sending(
                number, code=None, reason=f"Meta reports {event}.", now=now
            )


def forbids_replies(value: Any, *, now: datetime) -> bool:
    """Return whether an account update means that replies to buyers are refused from now on.

    This program only replies, so neither a restriction of messages that a business begins, of
    calls or of new numbers does, nor one that is over, nor a ban that is only announced or ends.
    What is wrong in spite of that, Meta says when the next message is sent.

    Source: Meta's page "account_update webhook reference".
    """
    match read_string(value, "event"):
        case "ACCOUNT_DELETED":
            return True
        case "DISABLED_UPDATE":
            state = read_string(value, "ban_info", "waba_ban_state")
            return state not in _BAN_STATES_THAT_ALLOW_REPLIES
        case "ACCOUNT_RESTRICTION":
            return any(
                read_string(item, "restriction_type") in _RESTRICTIONS_OF_REPLIES
                and not _is_over(item, now=now)
                for item in read_items(value.get("restriction_info"))
            )
        case _:
            return False


def _is_over(restriction: Any, *, now: datetime) -> bool:
    ends_at = read_timestamp(read_mapping(restriction).get("expiration"))
    return ends_at is not None and ends_at <= now


def _find_account(notice: NoticeItem, value: Any) -> str:
    return read_string(value, "waba_info", "waba_id") or notice.waba_id


def _is_about_others(notice: NoticeItem, value: Any) -> bool:
    if notice.phone_number_id:
        return not business_numbers.is_ours(notice.phone_number_id)
    accounts = business_numbers.list_accounts()
    return bool(accounts) and _find_account(notice, value) not in accounts


def _find_business_numbers(notice: NoticeItem, value: Any) -> Sequence[str]:
    if notice.phone_number_id:
        ours = business_numbers.is_ours(notice.phone_number_id)
        return [notice.phone_number_id] if ours else []
    return business_numbers.list_phone_number_ids(
        waba_id=_find_account(notice, value),
        display_number=read_string(value, "display_phone_number")
        or read_string(value, "phone_number"),
    )


def _build_sender(change: IdentityChange) -> Sender:
    return Sender(
        phone_number_id=change.phone_number_id,
        user_id=change.user_id,
        wa_id=change.wa_id,
        parent_user_id=change.parent_user_id,
        previous_user_id=change.previous_user_id,
    )
