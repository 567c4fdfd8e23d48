"""Erasure of buyers from the admin log: what staff did stays, without the buyer's name."""

from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.dispatch import receiver

from shared.core.constants import ERASED_BUYER
from shared.use_cases.contacts.buyer_erasure import ErasedBuyer
from shared.use_cases.signals import buyer_erased
from shared.whatsapp.models import WhatsAppContact

SENTENCES_WITHOUT_NAMES: Final = {
    "Joined ": "Joined it with another contact",
    "Undid the join of ": "Undid its join with another contact",
    "Said that ": "Said that it and another contact are two people",
}
"""How sentences about two contacts begin, and what stays of them."""


@receiver(buyer_erased)
def erase_log_entries(*, erased: ErasedBuyer, **_: Any) -> None:
    """Erase the names of a buyer from the log, also where another contact was joined with theirs.

    Names change, so every name in entries about these contacts goes, not only the present one.
    """
    kind = ContentType.objects.get_for_model(WhatsAppContact)
    entries = LogEntry.objects.filter(content_type=kind)
    own = entries.filter(object_id__in=[str(pk) for pk in erased.contact_ids])
    own.update(object_repr=ERASED_BUYER)
    both = [str(pk) for pk in (*erased.contact_ids, *erased.partner_ids)]
    for beginning, sentence in SENTENCES_WITHOUT_NAMES.items():
        named = entries.filter(object_id__in=both, change_message__startswith=beginning)
        named.update(change_message=sentence)
