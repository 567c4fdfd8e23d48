"""Models of the channel: contacts, messages, statuses, account notices, numbers and alarms."""

import uuid
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from shared.core import enums, search_columns
from shared.core.enums import InboxStatus, MessageDeliveryStatus, OutboxKind, OutboxStatus, State
from shared.core.search_columns import SearchableModel, SearchColumn


class WhatsAppContact(SearchableModel):
    """A buyer as known to one business number, and the state of their conversation."""

    phone_number_id = models.CharField("business number", max_length=32)
    user_id = models.CharField(
        max_length=160,
        null=True,
        blank=True,
        help_text="Business-scoped user id, e.g. US.1349…",
    )
    parent_user_id = models.CharField(max_length=160, blank=True)
    wa_id = models.CharField(
        "phone",
        max_length=32,
        null=True,
        blank=True,
        help_text="Phone number without +; absent while the buyer hides it.",
    )
    profile_name = models.CharField(max_length=150, blank=True)
    username = models.CharField(max_length=150, blank=True)
    search_name = SearchColumn(source="profile_name", compute=search_columns.fold_name)
    search_username = SearchColumn(source="username", compute=search_columns.fold_name)
    search_phone = SearchColumn(source="wa_id", compute=search_columns.fold_whatsapp_phone)
    state = models.CharField(max_length=20, choices=enums.build_choices(State), default=State.MENU)
    context = models.JSONField(default=dict, blank=True)
    last_inbound_at = models.DateTimeField(
        null=True, blank=True, help_text="By the message's own time; opens the 24 h window."
    )
    is_blocked = models.BooleanField("blocked", default=False, help_text="Is not answered.")
    adult_confirmed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When they said that they are 18 or older; asked once, for all raffles.",
    )
    wants_person_at = models.DateTimeField(
        "waits for a person since",
        null=True,
        blank=True,
        editable=False,
        help_text="Since when they wait for an answer from a person; empty: they do not wait.",
    )
    bot_paused_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The bot does not answer their words until then, because a person does.",
    )
    pause_cause = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Why the bot is paused: reason, who did it, and when.",
    )
    stopped_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When they wrote STOP: they only get answers to what they write.",
    )
    started_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When they last ended a STOP; an older STOP that comes late changes nothing.",
    )
    attribution = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last link or ad they came by, until they buy.",
    )
    identity_conflict = models.BooleanField(
        default=False, help_text="Its user id and phone seem to belong to two contacts."
    )
    send_after = models.DateTimeField(
        null=True, blank=True, help_text="Meta asked for a pause towards this buyer until then."
    )
    pair_rate_hits = models.PositiveSmallIntegerField(default=0)
    joined_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="joined_contacts",
        help_text="The contact of the same person that has its keys, messages and orders now.",
    )
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When its ids, names and messages were erased; its orders still refer to it.",
    )

    class Meta:
        """Both keys are unique within a business number; a joined or erased contact has none."""

        verbose_name = "contact"
        ordering = ["-id"]
        permissions = [("erase_whatsappcontact", "Can erase the personal data of buyers")]
        constraints = [
            models.UniqueConstraint(
                name="contact_by_user_id", fields=["phone_number_id", "user_id"]
            ),
            models.UniqueConstraint(name="contact_by_wa_id", fields=["phone_number_id", "wa_id"]),
            models.CheckConstraint(
                name="contact_has_a_key",
                condition=Q(user_id__isnull=False)
                | Q(wa_id__isnull=False)
                | Q(joined_into__isnull=False)
                | Q(erased_at__isnull=False),
            ),
            models.CheckConstraint(
                name="contact_state_known", condition=Q(state__in=[s.value for s in State])
            ),
        ]
        indexes = [
            models.Index(
                name="contact_wants_person",
                fields=["wants_person_at"],
                condition=Q(wants_person_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.profile_name or self.username or self.wa_id or self.user_id or "somebody"


class ContactAlias(models.Model):
    """An earlier user id of a contact, which delayed webhooks may still contain."""

    phone_number_id = models.CharField(max_length=32)
    user_id = models.CharField(max_length=160)
    contact = models.ForeignKey(WhatsAppContact, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        """One contact per earlier id."""

        verbose_name_plural = "contact aliases"
        constraints = [
            models.UniqueConstraint(name="alias_once", fields=["phone_number_id", "user_id"])
        ]

    def __str__(self) -> str:
        return self.user_id


class JoinSuggestion(models.Model):
    """Two contacts that may be the same person; only a person joins them."""

    first = models.ForeignKey(WhatsAppContact, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(
        WhatsAppContact, on_delete=models.PROTECT, related_name="+", help_text="The newer one."
    )
    current = models.ForeignKey(
        WhatsAppContact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The one that has the ids which WhatsApp announced; empty if it announced none.",
    )
    reason = models.CharField(max_length=200)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When they were joined, or a person said they are two."
    )
    settled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """One suggestion per pair."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="join_suggested_once", fields=["first", "second"]),
            models.CheckConstraint(
                name="join_suggested_in_order", condition=Q(first__lt=models.F("second"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"


class ContactJoin(models.Model):
    """The join of a contact into another one, with what is needed to undo it."""

    kept = models.ForeignKey(WhatsAppContact, on_delete=models.PROTECT, related_name="joins")
    joined = models.ForeignKey(WhatsAppContact, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(
        encoder=DjangoJSONEncoder, help_text="The values of both contacts before."
    )
    moved = models.JSONField(help_text="Ids of the rows that moved, by kind.")
    message_count = models.PositiveIntegerField(help_text="Messages from them at the time.")
    order_count = models.PositiveIntegerField(help_text="Orders of them at the time.")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """A contact is joined into one other contact at a time."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="contact_joined_once",
                fields=["joined"],
                condition=Q(undone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joined_id} into {self.kept_id}"


class ReceivedWebhook(models.Model):
    """A signed webhook byte for byte, stored before Meta gets its answer, until it is read.

    Reading stores its items and deletes it in one transaction, usually within milliseconds.
    """

    body = models.BinaryField()
    received_at = models.DateTimeField()
    correlation_id = models.CharField(max_length=32)
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Readings that began after it was left over."
    )

    class Meta:
        """Sorted from the oldest to the newest, as they are read."""

        ordering = ["id"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class InboundMessage(models.Model):
    """A message from a buyer, read from a received webhook; only erasure deletes it."""

    phone_number_id = models.CharField("business number", max_length=32)
    wa_message_id = models.CharField(max_length=255)
    dedupe_key = models.CharField(
        max_length=320, help_text="The message's id; for reactions with time and emoji."
    )
    contact = models.ForeignKey(
        WhatsAppContact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="inbound_messages",
        help_text="Empty when it names no sender, or is for a business number that is not ours.",
    )
    type = models.CharField(max_length=40)
    text = models.TextField(blank=True, help_text="What a person reads of it.")
    payload = models.JSONField(help_text="The message as Meta sent it, without NUL characters.")
    sent_at = models.DateTimeField(help_text="By the message's own timestamp.")
    received_at = models.DateTimeField()
    correlation_id = models.CharField(max_length=32, blank=True)
    status = models.CharField(
        max_length=10, choices=enums.build_choices(InboxStatus), default=InboxStatus.RECEIVED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Each message is stored once; indexes find those that are waiting."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="inbound_once", fields=["phone_number_id", "dedupe_key"]),
            models.CheckConstraint(
                name="inbound_status_known", condition=Q(status__in=[s.value for s in InboxStatus])
            ),
        ]
        indexes = [
            models.Index(
                name="inbound_waiting",
                fields=["contact", "sent_at", "id"],
                condition=Q(status=InboxStatus.RECEIVED),
            ),
            models.Index(
                name="inbound_waiting_since",
                fields=["received_at"],
                condition=Q(status=InboxStatus.RECEIVED),
            ),
            models.Index(
                name="inbound_failed", fields=["id"], condition=Q(status=InboxStatus.FAILED)
            ),
            models.Index(name="inbound_of_contact", fields=["contact", "-sent_at"]),
            models.Index(name="inbound_by_wamid", fields=["wa_message_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class OutboundMessage(models.Model):
    """A message to a buyer, written in the transaction of its cause and sent afterwards."""

    UNSENT: ClassVar = (OutboxStatus.QUEUED, OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
    """Statuses of messages that may still be sent."""

    callback_data = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Travels as biz_opaque_callback_data."
    )
    phone_number_id = models.CharField("business number", max_length=32)
    contact = models.ForeignKey(
        WhatsAppContact, on_delete=models.PROTECT, related_name="outbound_messages"
    )
    kind = models.CharField(max_length=6, choices=enums.build_choices(OutboxKind))
    key = models.CharField(max_length=40, help_text="Which text it is, e.g. paid.")
    payload = models.JSONField(help_text="The message's body without its addressee.")
    in_reply_to = models.ForeignKey(
        InboundMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="replies"
    )
    about = models.CharField(max_length=40, blank=True, help_text="What it is about, e.g. R-7K3F9.")
    written_by = models.CharField(
        max_length=150,
        null=True,
        blank=True,
        help_text="The person who wrote it; empty: the bot did.",
    )
    correlation_id = models.CharField(max_length=32, blank=True)
    status = models.CharField(
        max_length=8, choices=enums.build_choices(OutboxStatus), default=OutboxStatus.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    unknown_sends = models.PositiveSmallIntegerField(
        default=0, help_text="How often it was handed over without an answer."
    )
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, help_text="Who is sending it now.")
    lease_until = models.DateTimeField(null=True, blank=True)
    wa_message_id = models.CharField(max_length=255, blank=True)
    delivery = models.CharField(max_length=10, blank=True, help_text="What Meta said became of it.")
    error_code = models.IntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="What went wrong, in words.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """The unsent messages of a contact, sorted by id, are its queue."""

        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="outbound_status_known",
                condition=Q(status__in=[s.value for s in OutboxStatus]),
            ),
            models.CheckConstraint(
                name="outbound_sending_has_a_lease",
                condition=~Q(status=OutboxStatus.SENDING)
                | Q(lease__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            # One per status, since SQLite uses a partial index only for exactly its condition.
            models.Index(
                name="outbound_queue", fields=["id"], condition=Q(status=OutboxStatus.QUEUED)
            ),
            models.Index(
                name="outbound_queue_of_contact",
                fields=["contact", "id"],
                condition=Q(status=OutboxStatus.QUEUED),
            ),
            models.Index(
                name="outbound_sending",
                fields=["lease_until"],
                condition=Q(status=OutboxStatus.SENDING),
            ),
            models.Index(
                name="outbound_unknown",
                fields=["next_attempt_at"],
                condition=Q(status=OutboxStatus.UNKNOWN),
            ),
            models.Index(
                name="outbound_withheld",
                fields=["contact"],
                condition=Q(status=OutboxStatus.WITHHELD),
            ),
            models.Index(
                name="outbound_failed",
                fields=["id"],
                condition=Q(status=OutboxStatus.FAILED)
                | Q(delivery=MessageDeliveryStatus.FAILED, status=OutboxStatus.SENT),
            ),
            models.Index(
                name="outbound_sent",
                fields=["phone_number_id", "sent_at"],
                condition=Q(sent_at__isnull=False),
            ),
            models.Index(name="outbound_of_contact", fields=["contact", "-created_at"]),
            models.Index(name="outbound_by_wamid", fields=["wa_message_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.pk}"


class DeletedMessages(models.Model):
    """How many messages sent in an hour were deleted, which Meta charges for all the same.

    Rows are only added, so that no deletion waits for another one.
    """

    phone_number_id = models.CharField(max_length=32)
    hour = models.DateTimeField(help_text="The hour of sending, at its beginning.")
    count = models.PositiveIntegerField()

    class Meta:
        """The rows of a month are found by business number and time."""

        verbose_name_plural = "deleted messages"
        indexes = [models.Index(name="deleted_messages", fields=["phone_number_id", "hour"])]

    def __str__(self) -> str:
        return f"{self.count} of {self.hour:%Y-%m-%d %H:00}"


class DeliveryStatus(models.Model):
    """A status webhook, applied to its message at once or, if that is unknown so far, later."""

    phone_number_id = models.CharField(max_length=32)
    wa_message_id = models.CharField(max_length=255)
    status = models.CharField(max_length=20)
    participant = models.CharField(max_length=160, blank=True)
    callback_data = models.CharField(max_length=512, blank=True)
    occurred_at = models.DateTimeField()
    error_code = models.IntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    payload = models.JSONField()
    received_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(help_text="When its message is looked for (again).")
    applied_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was applied, or given up after eight days."
    )

    class Meta:
        """Each status is stored once; an index finds those that are not applied yet."""

        verbose_name_plural = "delivery statuses"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="delivery_once",
                fields=["phone_number_id", "wa_message_id", "status", "participant"],
            ),
        ]
        indexes = [
            models.Index(
                name="delivery_to_apply",
                fields=["next_attempt_at"],
                condition=Q(applied_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.pk}"


class AccountNotice(models.Model):
    """Any other webhook: about the account, its numbers or templates, or an error."""

    dedupe_key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the change.")
    waba_id = models.CharField(max_length=40, blank=True)
    field = models.CharField(max_length=80, blank=True)
    payload = models.JSONField()
    needs_attention = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    class Meta:
        """Sorted from the newest to the oldest."""

        ordering = ["-id"]

    def __str__(self) -> str:
        return self.field or "notice"


class UnreadableItem(models.Model):
    """A signed part of a webhook that could not be read or stored, kept byte for byte."""

    sha256 = models.CharField(max_length=64, unique=True)
    body = models.BinaryField()
    reason = models.CharField(max_length=300)
    received_at = models.DateTimeField()

    class Meta:
        """Sorted from the newest to the oldest."""

        ordering = ["-id"]

    def __str__(self) -> str:
        return self.reason


class BusinessNumber(models.Model):
    """A business number, and whether it can send."""

    phone_number_id = models.CharField(max_length=32, unique=True)
    display_phone_number = models.CharField(max_length=32, blank=True)
    waba_id = models.CharField(
        "WhatsApp Business Account",
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="As its webhooks name it.",
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_code = models.IntegerField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    probe_at = models.DateTimeField(
        null=True, blank=True, help_text="While paused, one message is tried then."
    )
    send_after = models.DateTimeField(
        null=True, blank=True, help_text="Meta asked the whole number to slow down until then."
    )
    throttle_hits = models.PositiveSmallIntegerField(default=0)
    last_webhook_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.display_phone_number or self.phone_number_id


class Alarm(models.Model):
    """A problem that a person must look at; repeats of it increase its count."""

    key = models.CharField(max_length=120, help_text="What makes it the same trouble.")
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    phone_number_id = models.CharField(max_length=32, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        """One open alarm per problem."""

        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                name="one_open_alarm_a_trouble",
                fields=["key"],
                condition=Q(resolved_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title
