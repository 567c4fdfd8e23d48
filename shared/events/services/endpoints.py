"""Who wants events: endpoints, made, changed, switched off and on, and deleted."""

import binascii
import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.core import logs
from shared.core.enums import EventType
from shared.events.addresses import check_address
from shared.events.errors import (
    EndpointNameTaken,
    EndpointNotFound,
    EventTypeUnknown,
    HeaderRefused,
    SecretRefused,
)
from shared.events.models import SECRET_PREFIX, EventDelivery, EventEndpoint, new_secret

DELIVERIES_DELETED_PER_TRANSACTION: Final = 1_000
"""Deliveries a transaction, so that a large log never holds up a sale."""

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,60}")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,498}[\x21-\x7e])?")
_RESERVED_HEADER_NAME: Final = re.compile(
    r"host|connection|keep-alive|content-.*|transfer-.*|te|trailer|upgrade|expect|accept-encoding"
    r"|proxy-.*|user-agent|webhook-.*|x-raffle-.*",
    re.IGNORECASE,
)
_MAX_REASON_CHARACTERS: Final = 200

_log = logs.get_logger(__name__)


def find_endpoint(endpoint_id: int) -> EventEndpoint:
    """Find an endpoint.

    Raises:
        EndpointNotFound: there is none with this id.

    """
    try:
        return EventEndpoint.objects.get(pk=endpoint_id)
    except EventEndpoint.DoesNotExist:
        raise EndpointNotFound from None


@transaction.atomic
def create_endpoint(
    *,
    name: str,
    url: str,
    types: Collection[str] = (),
    header_name: str = "",
    header_value: str = "",
    secret: str | None = None,
    by: str,
    allow_private: bool,
    now: datetime,
) -> EventEndpoint:
    """Make an endpoint; it gets what happens from now on.

    Args:
        name: what people call it.
        url: where events are sent.
        types: which events it wants; none: all.
        header_name: of a header that is sent along, e.g. X-N8N-Key; empty: none.
        header_value: what that header says.
        secret: signs what is sent; none given: a fresh one, to be read from what is returned.
        by: who made it.
        allow_private: whether it may be in a private network.
        now: when.

    Raises:
        AddressMalformed, AddressPrivate, HeaderRefused, SecretRefused, TypeUnknown,
            EndpointNameTaken.

    """
    endpoint = EventEndpoint(created_at=now, created_by=by)
    if secret is not None:
        check_secret(secret)
        endpoint.secret = secret
    _save_endpoint(
        endpoint,
        name=name,
        url=url,
        types=types,
        header_name=header_name,
        header_value=header_value,
        allow_private=allow_private,
    )
    _log.info("endpoint_created", endpoint_id=endpoint.pk)
    return endpoint


@transaction.atomic
def change_endpoint(
    endpoint_id: int,
    *,
    name: str,
    url: str,
    types: Collection[str],
    header_name: str,
    header_value: str,
    allow_private: bool,
) -> EventEndpoint:
    """Give an endpoint another name, address, choice of events or fixed header.

    What waits for it is sent to the new address.

    Raises:
        EndpointNotFound, AddressMalformed, AddressPrivate, HeaderRefused, TypeUnknown,
            EndpointNameTaken.

    """
    endpoint = _lock_endpoint(endpoint_id)
    _save_endpoint(
        endpoint,
        name=name,
        url=url,
        types=types,
        header_name=header_name,
        header_value=header_value,
        allow_private=allow_private,
    )
    return endpoint


@transaction.atomic
def disable_endpoint(endpoint_id: int, *, reason: str, now: datetime) -> EventEndpoint:
    """Send nothing there any more; what waits for it goes on waiting.

    What happens from now on is not queued for it, and so not sent later either: it is in the feed.
    What is under way ends. An endpoint that is off already keeps its first reason.

    Args:
        endpoint_id: which one.
        reason: who or what switched it off, e.g. "Switched off by rita."
        now: when.

    Raises:
        EndpointNotFound: there is none with this id.

    """
    endpoint = _lock_endpoint(endpoint_id)
    if endpoint.active:
        endpoint.active = False
        endpoint.disabled_at = now
        endpoint.disabled_reason = reason[:_MAX_REASON_CHARACTERS]
        endpoint.save(update_fields=["active", "disabled_at", "disabled_reason"])
        _log.info("endpoint_disabled", endpoint_id=endpoint_id)
    return endpoint


@transaction.atomic
def enable_endpoint(endpoint_id: int) -> EventEndpoint:
    """Send there again, beginning with what waits for it.

    What happened while it was off was never queued for it; it is in the feed.

    Raises:
        EndpointNotFound: there is none with this id.

    """
    endpoint = _lock_endpoint(endpoint_id)
    if not endpoint.active:
        endpoint.active, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
        endpoint.save(update_fields=["active", "disabled_at", "disabled_reason"])
        _log.info("endpoint_enabled", endpoint_id=endpoint_id)
    return endpoint


@transaction.atomic
def renew_secret(endpoint_id: int) -> EventEndpoint:
    """Sign with a fresh secret from the next try on; the old one is forgotten.

    Raises:
        EndpointNotFound: there is none with this id.

    """
    endpoint = _lock_endpoint(endpoint_id)
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret"])
    _log.info("endpoint_secret_renewed", endpoint_id=endpoint_id)
    return endpoint


def delete_endpoint(
    endpoint_id: int, *, now: datetime, at_once: int = DELIVERIES_DELETED_PER_TRANSACTION
) -> None:
    """Delete an endpoint with its deliveries and their tries; the events stay.

    It is switched off first and its log goes in short transactions. What is under way ends
    somewhere, and is noted nowhere.

    Args:
        endpoint_id: which one.
        now: when.
        at_once: how many deliveries go in one transaction.

    Raises:
        EndpointNotFound: there is none with this id.

    """
    disable_endpoint(endpoint_id, reason="It is being deleted.", now=now)
    deliveries = EventDelivery.objects.filter(endpoint=endpoint_id).order_by("pk")
    while ids := list(deliveries.values_list("pk", flat=True)[:at_once]):
        with transaction.atomic():
            EventDelivery.objects.filter(pk__in=ids).delete()
    with transaction.atomic():
        # Locked against whoever queues something for it right now.
        EventEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
        EventEndpoint.objects.filter(pk=endpoint_id).delete()
    _log.info("endpoint_deleted", endpoint_id=endpoint_id)


def check_header(name: str, value: str) -> None:
    """Look at a fixed header; both parts empty: none.

    Raises:
        HeaderRefused: it has only one part, other characters, or a name that is ours to set.

    """
    if not name and not value:
        return
    plain = _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
    if not plain or _RESERVED_HEADER_NAME.fullmatch(name):
        raise HeaderRefused


def check_secret(secret: str) -> None:
    """Look at a secret that somebody brings along.

    Raises:
        SecretRefused: it is not `whsec_` and 24 to 64 bytes in Base64.

    Source: the specification of Standard Webhooks, "Secret".

    """
    plain = secret.removeprefix(SECRET_PREFIX)
    try:
        size = len(binascii.a2b_base64(plain, strict_mode=True))
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise SecretRefused from None
    if plain == secret or not 24 <= size <= 64:  # noqa: PLR2004 - said in the docstring
        raise SecretRefused


def check_event_types(types: Collection[str]) -> None:
    """Look at a choice of events; none: all.

    Raises:
        TypeUnknown: there are no such events.

    """
    unknown = set(types) - {known.value for known in EventType}
    if unknown:
        raise EventTypeUnknown(types=unknown)


def _lock_endpoint(endpoint_id: int) -> EventEndpoint:
    try:
        return EventEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    except EventEndpoint.DoesNotExist:
        raise EndpointNotFound from None


def _save_endpoint(
    endpoint: EventEndpoint,
    *,
    name: str,
    url: str,
    types: Collection[str],
    header_name: str,
    header_value: str,
    allow_private: bool,
) -> None:
    check_address(url, allow_private=allow_private)
    check_header(header_name, header_value)
    check_event_types(types)
    endpoint.name, endpoint.url = name, url
    endpoint.types = [known.value for known in EventType if known.value in types]
    endpoint.header_name, endpoint.header_value = header_name, header_value
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError:
        raise EndpointNameTaken from None
