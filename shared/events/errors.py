"""Errors about endpoints, their addresses, and deliveries."""

from collections.abc import Collection

from shared.core.enums import EventType
from shared.core.errors import DomainError


class AddressRefused(DomainError):
    """Events cannot be sent to this address."""

    code = "address_refused"


class AddressMalformed(AddressRefused):
    """Give an address such as https://n8n.example/webhook/raffle, without user and password."""

    code = "address_malformed"


class AddressPrivate(AddressRefused):
    """This address is in a private network; EVENTS_ALLOW_PRIVATE allows sending there."""

    code = "address_private"


class DeliveryNotFound(DomainError):
    """There is no such delivery."""

    code = "delivery_not_found"


class DeliveryUnderWay(DomainError):
    """It is being sent right now; wait for what becomes of it."""

    code = "delivery_under_way"
    retryable = True


class EndpointNotFound(DomainError):
    """There is no such endpoint."""

    code = "endpoint_not_found"


class EndpointNameTaken(DomainError):
    """Another endpoint has this name."""

    code = "endpoint_name_taken"


class HeaderRefused(DomainError):
    """A fixed header is a name and a value in plain characters, and none that is ours to set."""

    code = "header_refused"


class SecretRefused(DomainError):
    """A secret is whsec_ followed by 24 to 64 bytes in Base64."""

    code = "secret_refused"


class EventTypeUnknown(DomainError):
    """There are no events of this type."""

    code = "event_type_unknown"

    def __init__(self, *, types: Collection[str]) -> None:
        super().__init__(unknown=sorted(types), known=[known.value for known in EventType])
