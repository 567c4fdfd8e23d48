"""Erasure of personal data from the stored responses of idempotent requests."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from backoffice.api.idempotency import request_claims
from backoffice.api.models import IdempotentRequest
from shared.use_cases.contacts.buyer_erasure import ErasedBuyer
from shared.use_cases.signals import buyer_erased, logs_expired


@receiver(buyer_erased)
def forget_responses(*, erased: ErasedBuyer, **_: Any) -> None:
    """Delete the responses about a buyer; a day later they would have been deleted anyway."""
    if not erased.on_request:
        return
    about = Q()
    for word in {*erased.keys.ids, *erased.order_codes}:
        about |= Q(body__contains=word)
    if about:
        IdempotentRequest.objects.filter(about, status__isnull=False).delete()


@receiver(logs_expired)
def delete_expired_responses(*, now: datetime, **_: Any) -> None:
    """Delete the responses whose own retention period, one day, is over."""
    while request_claims.delete_old_requests(now=now):
        pass
