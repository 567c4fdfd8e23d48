"""Endpoints that receive events: creation, changes, switching off and on, and deletion."""

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
"""Few enough that a large log never delays a sale."""

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
    """Return an endpoint.

    Raises:
        EndpointNotFound: there is no endpoint with this id.

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
    """Create an endpoint, which receives the events from now on.

    Args:
        name: its name, unique.
        url: the address to which events are sent.
        types: the types of events it wants; empty for all.
        header_name: a fixed header that is sent along, e.g. X-N8N-Key; empty for none.
        header_value: the value of that header.
        secret: the secret that signs events; None for a new one.
        by: the name of the user or token that creates it.
        allow_private: whether it may be in a private network.
        now: the time of creation.

    Raises:
        AddressMalformed, AddressPrivate, HeaderRefused, SecretRefused, EventTypeUnknown,
            EndpointNameTaken: as their docstrings say; nothing was written.

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
    """Change the name, address, event types and fixed header of an endpoint.

    Queued deliveries are sent to the new address. The arguments are those of `create_endpoint`.

    Raises:
        EndpointNotFound, AddressMalformed, AddressPrivate, HeaderRefused, EventTypeUnknown,
            EndpointNameTaken: as their docstrings say; nothing was written.

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
    """Switch off an endpoint; its queued deliveries stay queued.

    Later events are not queued for it, so they are not sent when it is switched on again; they
    are in the feed. Deliveries that are being sent are finished. An endpoint that is already
    switched off keeps its first reason.

    Args:
        endpoint_id: the endpoint.
        reason: a sentence that says who or what switched it off, e.g. "Switched off by rita."
        now: the current time.

    Raises:
        EndpointNotFound: there is no endpoint with this id.

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
    """Switch on an endpoint; its queued deliveries are sent first.

    Events from while it was switched off were not queued for it; they are in the feed.

    Raises:
        EndpointNotFound: there is no endpoint with this id.

    """
    endpoint = _lock_endpoint(endpoint_id)
    if not endpoint.active:
        endpoint.active, endpoint.disabled_at, endpoint.disabled_reason = True, None, ""
        endpoint.save(update_fields=["active", "disabled_at", "disabled_reason"])
        _log.info("endpoint_enabled", endpoint_id=endpoint_id)
    return endpoint


@transaction.atomic
def renew_secret(endpoint_id: int) -> EventEndpoint:
    """Replace the secret of an endpoint; the next attempt is signed with the new one.

    Raises:
        EndpointNotFound: there is no endpoint with this id.

    """
    endpoint = _lock_endpoint(endpoint_id)
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret"])
    _log.info("endpoint_secret_renewed", endpoint_id=endpoint_id)
    return endpoint


def delete_endpoint(
    endpoint_id: int, *, now: datetime, batch_size: int = DELIVERIES_DELETED_PER_TRANSACTION
) -> None:
    """Delete an endpoint with its deliveries and their attempts; the events stay.

    It is switched off first, and its deliveries are deleted in short transactions. The results
    of deliveries that are being sent are not recorded.

    Args:
        endpoint_id: the endpoint.
        now: the current time.
        batch_size: the number of deliveries deleted per transaction.

    Raises:
        EndpointNotFound: there is no endpoint with this id.

    """
    disable_endpoint(endpoint_id, reason="It is being deleted.", now=now)
    deliveries = EventDelivery.objects.filter(endpoint=endpoint_id).order_by("pk")
    while ids := list(deliveries.values_list("pk", flat=True)[:batch_size]):
        with transaction.atomic():
            EventDelivery.objects.filter(pk__in=ids).delete()
    with transaction.atomic():
        # Locked, so that nothing is queued for it before the commit.
        EventEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
        EventEndpoint.objects.filter(pk=endpoint_id).delete()
    _log.info("endpoint_deleted", endpoint_id=endpoint_id)


def check_header(name: str, value: str) -> None:
    """Check a fixed header; both parts may be empty.

    Raises:
        HeaderRefused: a part is missing or has other characters, or the name is reserved.

    """
    if not name and not value:
        return
    is_plain = _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
    if not is_plain or _RESERVED_HEADER_NAME.fullmatch(name):
        raise HeaderRefused


def check_secret(secret: str) -> None:
    """Check a secret.

    Raises:
        SecretRefused: it is not `whsec_` and 24 to 64 bytes in Base64.

    Source: the specification of Standard Webhooks, "Secret".

    """
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        size = len(binascii.a2b_base64(encoded, strict_mode=True))
        Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise SecretRefused from None
    if encoded == secret or not 24 <= size <= 64:  # noqa: PLR2004 - see the docstring
        raise SecretRefused


def check_event_types(types: Collection[str]) -> None:
    """Check a choice of event types; empty for all.

    Raises:
        EventTypeUnknown: there is no such type.

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
