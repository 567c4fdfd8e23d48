"""Models of events, endpoints, deliveries and their attempts."""

from base64 import b64encode
from secrets import token_bytes
from typing import Final
from uuid import uuid4

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from shared.core import enums
from shared.core.enums import EventDeliveryStatus, EventType

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix of secrets, not a secret


def new_event_id() -> str:
    """Return a new event id, by which receivers recognise repeats, e.g. `evt_0f…`."""
    return f"evt_{uuid4().hex}"


def new_secret() -> str:
    """Return a new secret in the format of Standard Webhooks: `whsec_` and 32 bytes in Base64."""
    return SECRET_PREFIX + b64encode(token_bytes(32)).decode()


class Event(models.Model):
    """A change and the state after it, written in the same transaction and never edited."""

    event_id = models.CharField(max_length=40, unique=True, default=new_event_id, editable=False)
    sequence = models.BigIntegerField(
        unique=True, null=True, help_text="Its place in the feed; given after the commit."
    )
    type = models.CharField(max_length=32, choices=enums.build_choices(EventType))
    dedupe_key = models.CharField(
        max_length=120, unique=True, null=True, help_text="What happens once is told once."
    )
    subject = models.CharField(
        max_length=120, blank=True, help_text="What it is about, e.g. an order's code."
    )
    order_id = models.BigIntegerField(null=True, blank=True)
    proof_id = models.BigIntegerField(null=True, blank=True)
    data = models.JSONField(help_text="How it was then; no link that expires.")
    created_at = models.DateTimeField()

    class Meta:
        """An index finds the few events without a sequence number."""

        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="event_type_known", condition=Q(type__in=[t.value for t in EventType])
            ),
        ]
        indexes = [
            models.Index(name="event_to_number", fields=["id"], condition=Q(sequence__isnull=True)),
            models.Index(name="event_by_subject", fields=["subject", "id"]),
            models.Index(name="event_by_type", fields=["type", "id"]),
            models.Index(name="event_by_age", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}".strip()


class EventSequence(models.Model):
    """The last sequence number in the feed: one row, locked while the next ones are assigned."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=0)

    class Meta:
        """A single row."""

        constraints = [models.CheckConstraint(name="event_sequence_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self.last)


class EventEndpoint(models.Model):
    """An address that receives events, and the secret that signs them."""

    name = models.CharField(max_length=60, unique=True, help_text="E.g. n8n: new proofs.")
    url = models.URLField(
        "address", max_length=500, help_text="Where events are sent, e.g. n8n's production URL."
    )
    secret = models.CharField(
        max_length=100,
        default=new_secret,
        validators=[RegexValidator(r"^whsec_[A-Za-z0-9+/]+=*$", "It must begin with whsec_.")],
        help_text="Signs what is sent.",
    )
    types = models.JSONField(
        default=list, blank=True, help_text="Which events it wants; none chosen: all."
    )
    header_name = models.CharField(
        "fixed header",
        max_length=60,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9-]+$", "Letters, digits and hyphens only.")],
        help_text="Sent along with each event, e.g. X-N8N-Key; empty: none.",
    )
    header_value = models.CharField("its value", max_length=500, blank=True)
    active = models.BooleanField(default=True, help_text="Whether events are sent there.")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """Sorted by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def wants(self, type_: str) -> bool:
        """Return whether events of a type are sent there."""
        return not self.types or type_ in self.types


class EventDelivery(models.Model):
    """The delivery of an event to an endpoint, and its state."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(
        EventEndpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,  # `event_delivery_by_endpoint` has it
    )
    status = models.CharField(
        max_length=9,
        choices=enums.build_choices(EventDeliveryStatus),
        default=EventDeliveryStatus.QUEUED,
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was queued last.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    response = models.TextField(blank=True, help_text="How the answer to the last try begins.")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each event once per endpoint; indexes find the deliveries that are due."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="event_delivered_once_an_endpoint", fields=["event", "endpoint"]
            ),
            models.CheckConstraint(
                name="event_delivery_status_known",
                condition=Q(status__in=[s.value for s in EventDeliveryStatus]),
            ),
        ]
        indexes = [
            models.Index(
                name="event_delivery_due",
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status=EventDeliveryStatus.QUEUED),
            ),
            models.Index(
                name="event_delivery_leased",
                fields=["lease_until"],
                condition=Q(status=EventDeliveryStatus.SENDING),
            ),
            models.Index(name="event_delivery_by_endpoint", fields=["endpoint", "status", "id"]),
            models.Index(name="event_delivery_by_status", fields=["status", "id"]),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class EventAttempt(models.Model):
    """An attempt to deliver an event: its time, latency and result."""

    delivery = models.ForeignKey(EventDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    http_status = models.PositiveSmallIntegerField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        """Sorted by the order in which they were made."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.http_status or self.error}"
