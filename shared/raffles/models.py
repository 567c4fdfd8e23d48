"""Models of raffles, their ticket numbers, orders, order history and payment proofs."""

from collections.abc import Iterable
from typing import ClassVar

from django.core.files.storage import Storage, storages
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round

from shared.core import enums, search_columns
from shared.core.constants import DEFAULT_HOLD_MINUTES, MAX_NUMBERS_PER_RAFFLE
from shared.core.enums import (
    ActorKind,
    DrawMethod,
    LedgerKind,
    Mode,
    OrderAction,
    OrderSourceKind,
    OrderStatus,
    ProofStatus,
    RaffleAction,
    RaffleStatus,
    RejectReason,
    RenditionStatus,
    TicketStatus,
    UnplacedReason,
    Verdict,
)
from shared.core.search_columns import SearchableModel, SearchColumn
from shared.raffles import order_sources
from shared.raffles.order_sources import OrderSource
from shared.raffles.order_tickets import choose_ticket_numbers
from shared.raffles.validators import validate_currency, validate_time_zone


def proof_storage() -> Storage:
    """Return the storage of payment proofs; an alias in the settings, so machines can share it."""
    return storages["proofs"]


class Raffle(models.Model):
    """A raffle: its prize, its ticket numbers and the terms on which they are sold."""

    title = models.CharField(max_length=60, help_text="As buyers read it, e.g. Summer Raffle.")
    description = models.TextField(blank=True, max_length=400, help_text="Shown below the title.")
    prize = models.CharField(max_length=120, help_text="What can be won, e.g. a motorbike.")
    price = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        help_text="For one number.",
    )
    currency = models.CharField(
        max_length=3, default="USD", validators=[validate_currency], help_text="ISO 4217, e.g. USD."
    )
    number_count = models.PositiveIntegerField(
        "how many numbers",
        validators=[MinValueValidator(1), MaxValueValidator(MAX_NUMBERS_PER_RAFFLE)],
        help_text="Cannot change once the numbers exist.",
    )
    first_number = models.PositiveIntegerField(
        default=1, validators=[MaxValueValidator(1)], help_text="0 or 1, e.g. 0 for 00 to 99."
    )
    number_width = models.PositiveSmallIntegerField(
        "digits",
        default=0,
        validators=[MaxValueValidator(7)],
        help_text="Digits a number is written with; 0: as many as the last number needs.",
    )
    min_per_order = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    max_per_order = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    max_per_contact = models.PositiveIntegerField(
        null=True, blank=True, help_text="Held and bought together; empty: no limit."
    )
    hold_minutes = models.PositiveIntegerField(
        default=DEFAULT_HOLD_MINUTES,
        validators=[MinValueValidator(1), MaxValueValidator(7 * 24 * 60)],
        help_text="How long numbers wait for the buyer, then for the payment.",
    )
    sales_open_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: as soon as it is open."
    )
    sales_close_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Empty: until an hour before the draw, or until it is closed.",
    )
    draw_at = models.DateTimeField("draw date", null=True, blank=True)
    draw_when_sold_out = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Instead of a date: it is drawn when all numbers are sold.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="E.g. America/Bogota.",
    )
    time_zone_confirmed = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="A person chose the time zone.",
    )
    payment_instructions = models.TextField(
        max_length=700, help_text="How to pay: bank, account, name. The amount and code are added."
    )
    seller_contact = models.CharField(
        max_length=120, help_text="How buyers reach a person, e.g. a name and a phone number."
    )
    picture = models.ImageField(upload_to="raffles/", blank=True)
    draw_method = models.CharField(
        max_length=14,
        choices=enums.build_choices(DrawMethod),
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Empty: nobody has said yet how it is drawn.",
    )
    promoter = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Who holds the raffle and answers for it, e.g. a club.",
    )
    permit_number = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Of the authority."
    )
    rules_url = models.URLField(
        "rules address",
        blank=True,
        default="",
        db_default="",
        help_text="A page with the full rules.",
    )
    adults_only = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Buyers are asked once whether they are 18 or older.",
    )
    phone_number_id = models.CharField(
        "business number",
        max_length=32,
        blank=True,
        validators=[RegexValidator(r"^\d*$", "A phone number id has digits only.")],
        help_text="Meta's phone number id it is sold from; empty: from every number.",
    )
    status = models.CharField(
        max_length=10,
        choices=enums.build_choices(RaffleStatus),
        default=RaffleStatus.DRAFT,
        editable=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Bounds of prices, counts and times."""

        ordering = ["-id"]
        permissions = [
            ("call_off_raffle", "Can call off raffles"),
            ("draw_raffle", "Can seal and draw raffles"),
        ]
        constraints = [
            models.CheckConstraint(
                name="raffle_status_known", condition=Q(status__in=[s.value for s in RaffleStatus])
            ),
            models.CheckConstraint(name="raffle_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(
                name="raffle_number_count_in_bounds",
                condition=Q(number_count__gte=1, number_count__lte=MAX_NUMBERS_PER_RAFFLE),
            ),
            models.CheckConstraint(
                name="raffle_order_bounds_make_sense",
                condition=Q(min_per_order__gte=1, max_per_order__gte=F("min_per_order")),
            ),
            models.CheckConstraint(
                name="raffle_hold_is_positive", condition=Q(hold_minutes__gte=1)
            ),
            models.CheckConstraint(
                name="raffle_sales_end_before_draw",
                condition=Q(sales_close_at__isnull=True)
                | Q(draw_at__isnull=True)
                | Q(sales_close_at__lte=F("draw_at")),
            ),
            models.CheckConstraint(
                name="raffle_draw_date_or_sold_out",
                condition=Q(draw_at__isnull=True) | Q(draw_when_sold_out=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def last_number(self) -> int:
        """Highest ticket number."""
        return self.first_number + self.number_count - 1

    @property
    def width(self) -> int:
        """Digits that a ticket number is written with."""
        return max(self.number_width, len(str(self.last_number)))

    def format_ticket_number(self, number: int) -> str:
        """Return a ticket number with its leading zeros: 7 of a hundred is "07"."""
        return f"{number:0{self.width}d}"


class RaffleEvent(models.Model):
    """An entry in a raffle's history: actor, action, time and reason; never deleted.

    Some actions concern every order of the raffle: a draw that was moved, a raffle that was called
    off. The gateway then works through the orders in ascending order and counts its progress here,
    so that it continues after a restart.
    """

    raffle = models.ForeignKey(Raffle, on_delete=models.PROTECT, related_name="events")
    action = models.CharField(max_length=20, choices=enums.build_choices(RaffleAction))
    actor_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150, blank=True)
    from_status = models.CharField(max_length=10)
    to_status = models.CharField(max_length=10)
    reason = models.TextField(blank=True)
    draw_before = models.DateTimeField(null=True, blank=True)
    draw_after = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField()
    last_order_id = models.PositiveBigIntegerField(
        default=0, help_text="Orders up to this one have been worked off."
    )
    unfinished = models.BooleanField(
        default=False, help_text="Orders of the raffle still have to be worked off."
    )

    class Meta:
        """The order in which it happened, and an index for unfinished work."""

        ordering = ["id"]
        indexes = [
            models.Index(
                name="raffle_event_unfinished", fields=["id"], condition=Q(unfinished=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label or self.actor_kind}"


class TicketNumber(models.Model):
    """A ticket number of a raffle; at most one live `OrderTicket` refers to it."""

    raffle = models.ForeignKey(
        Raffle,
        on_delete=models.PROTECT,
        related_name="numbers",
        db_index=False,  # the unique constraint covers it; a third index only misleads planners
    )
    number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=9, choices=enums.build_choices(TicketStatus), default=TicketStatus.AVAILABLE
    )
    shuffle_key = models.IntegerField(
        help_text="Random at creation; random holds take the next free keys after a random pivot."
    )

    class Meta:
        """Unique ticket numbers, and an index each of the free and of the taken ones."""

        constraints = [
            models.UniqueConstraint(name="ticket_number_unique", fields=["raffle", "number"]),
            models.CheckConstraint(
                name="ticket_status_known", condition=Q(status__in=[s.value for s in TicketStatus])
            ),
        ]
        indexes = [
            models.Index(
                name="ticket_available",
                fields=["raffle", "shuffle_key"],
                condition=Q(status=TicketStatus.AVAILABLE),
            ),
            models.Index(
                name="ticket_taken",
                fields=["raffle", "status"],
                condition=~Q(status=TicketStatus.AVAILABLE),
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Order(SearchableModel):
    """An order: ticket numbers held for or sold to one buyer, at a fixed price."""

    raffle = models.ForeignKey(
        Raffle,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,  # `order_by_raffle` covers it
    )
    contact = models.ForeignKey(
        "whatsapp.WhatsAppContact",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        help_text="The buyer; a sale for cash has none.",
    )
    buyer_name = models.CharField(
        max_length=150, blank=True, help_text="Of a sale for cash, whose buyer has no contact."
    )
    buyer_phone = models.CharField(max_length=32, blank=True, help_text="Of a sale for cash.")
    search_name = SearchColumn(source="buyer_name", compute=search_columns.fold_name)
    search_phone = SearchColumn(source="buyer_phone", compute=search_columns.fold_typed_phone)
    code = models.CharField(
        max_length=12,
        null=True,
        editable=False,
        help_text="What people call it; derived from the id.",
    )
    request_key = models.UUIDField(
        null=True,
        editable=False,
        help_text="Of the form it was sold with: a form sent twice sells once.",
    )
    status = models.CharField(
        max_length=15,
        choices=enums.build_choices(OrderStatus),
        default=OrderStatus.DRAFT,
        editable=False,
    )
    mode = models.CharField(max_length=6, choices=enums.build_choices(Mode))
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    expires_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the hold or the time to pay ends; empty: no clock runs.",
    )
    under_review_since = models.DateTimeField(
        null=True, blank=True, help_text="A proof waits for a decision; meanwhile nothing expires."
    )
    asked_again_at = models.DateTimeField(
        null=True, blank=True, help_text="The buyer was asked for another proof and owes it since."
    )
    needs_decision = models.BooleanField(
        default=False, help_text="Paid too late and its numbers are gone: a person must decide."
    )
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was paid, cancelled or expired."
    )
    receipt_entry = models.PositiveIntegerField(
        null=True,
        editable=False,
        help_text="Number of its entry in the receipt chain; empty: it has none that counts.",
    )
    receipt_head = models.CharField(
        max_length=8,
        null=True,  # no default: the column is added to full tables
        editable=False,
        help_text="First eight hex digits of the chain's head with that entry.",
    )
    erased_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When its proofs, its texts and the name of a cash buyer were erased.",
    )
    source_kind = models.CharField(
        max_length=4,
        choices=enums.build_choices(OrderSourceKind),
        null=True,  # no default: the columns are added to full tables
        blank=True,
        editable=False,
        help_text="What led the buyer to the chat; empty: not known.",
    )
    source_name = models.CharField(
        max_length=order_sources.MAX_NAME_LENGTH,
        null=True,
        blank=True,
        editable=False,
        help_text="The word of the link, or the headline of the ad.",
    )
    source_id = models.CharField(
        max_length=order_sources.MAX_ID_LENGTH,
        null=True,
        blank=True,
        editable=False,
        help_text="Meta's id of the ad or post.",
    )
    tickets = models.ManyToManyField(TicketNumber, through="OrderTicket", related_name="orders")

    LIVE: ClassVar = (OrderStatus.DRAFT, OrderStatus.PENDING_PAYMENT)
    """Statuses that hold ticket numbers for a limited time."""
    HOLDING: ClassVar = (*LIVE, OrderStatus.PAID)
    """Statuses in which ticket numbers belong to the order."""

    class Meta:
        """Known statuses, totals that add up, and the indexes of the work lists."""

        ordering = ["-id"]
        permissions = [
            ("export_order", "Can export buyers and sales"),
            ("refund_order", "Can refund paid orders"),
        ]
        constraints = [
            # Constraints instead of `unique=True`, which adds a second index on PostgreSQL.
            models.UniqueConstraint(name="order_code_unique", fields=["code"]),
            models.UniqueConstraint(
                name="order_once_a_form",
                fields=["request_key"],
                condition=Q(request_key__isnull=False),
            ),
            models.CheckConstraint(
                name="order_status_known", condition=Q(status__in=[s.value for s in OrderStatus])
            ),
            models.CheckConstraint(
                name="order_mode_known", condition=Q(mode__in=[m.value for m in Mode])
            ),
            models.CheckConstraint(name="order_quantity_positive", condition=Q(quantity__gte=1)),
            models.CheckConstraint(
                name="order_total_is_price_times_quantity",
                condition=Q(unit_price__gte=0)
                # SQLite multiplies decimals as floats; rounded to cents, both databases agree.
                & Q(total=Round(F("unit_price") * F("quantity"), precision=2)),
            ),
            models.CheckConstraint(
                name="order_draft_has_a_clock",
                condition=~Q(status=OrderStatus.DRAFT) | Q(expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="order_pending_has_a_clock_or_a_review",
                condition=~Q(status=OrderStatus.PENDING_PAYMENT)
                | Q(expires_at__isnull=False)
                | Q(under_review_since__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="order_expiring",
                fields=["expires_at"],
                condition=Q(
                    status__in=["DRAFT", "PENDING_PAYMENT"], under_review_since__isnull=True
                ),
            ),
            models.Index(
                name="order_reviewing",
                fields=["under_review_since"],
                condition=Q(under_review_since__isnull=False),
            ),
            models.Index(name="order_by_status", fields=["status", "id"]),
            models.Index(name="order_by_raffle", fields=["raffle", "status", "id"]),
            models.Index(name="order_deciding", fields=["id"], condition=Q(needs_decision=True)),
            models.Index(
                name="order_without_entry",
                fields=["raffle", "status", "closed_at", "id"],
                condition=Q(status="PAID", receipt_entry__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.code or f"order {self.pk}"

    @property
    def source(self) -> OrderSource | None:
        """How its buyer came to the chat; None: not known."""
        return order_sources.build_source(self.source_kind, self.source_name, self.source_id)

    @property
    def under_review(self) -> bool:
        """Whether a payment proof is waiting for a decision."""
        return self.under_review_since is not None

    def list_ticket_numbers(self) -> list[int]:
        """Return the ticket numbers it holds or, once released, held last; ascending."""
        return collect_ticket_numbers(self.order_tickets.select_related("ticket"))


class OrderTicket(models.Model):
    """The link of an order to a ticket number that it holds or has held."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="order_tickets")
    ticket = models.ForeignKey(TicketNumber, on_delete=models.PROTECT, related_name="order_tickets")
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """At most one order per ticket number that is not released."""

        constraints = [
            models.UniqueConstraint(
                name="one_live_order_a_ticket",
                fields=["ticket"],
                condition=Q(released_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id}, ticket {self.ticket_id}"


def collect_ticket_numbers(links: Iterable[OrderTicket]) -> list[int]:
    """Return the ticket numbers of one order from its rows, as `choose_ticket_numbers` does."""
    return choose_ticket_numbers((link.ticket.number, link.released_at) for link in links)


class OrderEvent(models.Model):
    """An entry in an order's history: actor, action, time and reason; never deleted.

    It changes only when personal data is erased: then it loses its reason and the buyer's name.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    action = models.CharField(max_length=20, choices=enums.build_choices(OrderAction))
    actor_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150, blank=True)
    from_status = models.CharField(max_length=15, blank=True)
    to_status = models.CharField(max_length=15, blank=True)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        """The order in which it happened, and an index for recent events."""

        ordering = ["id"]
        indexes = [models.Index(name="order_event_by_time", fields=["at", "order"])]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label or self.actor_kind}"


class LedgerEntry(models.Model):
    """An entry of the ledger: money that came in or went back; never changed or deleted.

    Only its reference is emptied when personal data is erased.

    Money in is the sum of CONFIRMED. Money back is the sum of UNDONE and REFUNDED. So the sums of
    past days never change.
    """

    raffle = models.ForeignKey(
        Raffle,
        on_delete=models.PROTECT,
        related_name="ledger",
        db_index=False,  # `ledger_by_raffle` covers it
    )
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=13, choices=enums.build_choices(LedgerKind))
    confirmation = models.ForeignKey(
        OrderEvent,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="ledger",
        help_text="The confirmation that brought the money in; empty if there was none.",
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    quantity = models.PositiveIntegerField(help_text="How many ticket numbers were paid.")
    reference = models.CharField(max_length=100, blank=True, help_text="E.g. of the bank transfer.")
    actor_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    class Meta:
        """Each confirmation brings money in once, and takes it back at most once."""

        ordering = ["id"]
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(
                name="ledger_confirmed_once",
                fields=["confirmation"],
                condition=Q(kind=LedgerKind.CONFIRMED),
            ),
            models.UniqueConstraint(
                name="ledger_taken_back_once",
                fields=["confirmation"],
                condition=Q(kind__in=[LedgerKind.UNDONE, LedgerKind.REFUNDED]),
            ),
            models.CheckConstraint(
                name="ledger_kind_known", condition=Q(kind__in=[k.value for k in LedgerKind])
            ),
            models.CheckConstraint(name="ledger_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="ledger_names_the_confirmation",
                condition=Q(confirmation__isnull=False) | Q(kind=LedgerKind.LATE_REFUNDED),
            ),
        ]
        indexes = [
            models.Index(name="ledger_by_raffle", fields=["raffle", "at"]),
            models.Index(name="ledger_by_time", fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class PaymentProof(models.Model):
    """A picture or PDF that a buyer sent as proof of payment; without an order if it fits none.

    A receipt that pays two orders is one file with a row for each order: `shared_from` names the
    first row, whose message and file the other rows repeat. Each row has its own verdict.
    """

    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="proofs"
    )
    contact = models.ForeignKey(
        "whatsapp.WhatsAppContact",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="proofs",
    )
    status = models.CharField(
        max_length=8, choices=enums.build_choices(ProofStatus), default=ProofStatus.FETCHING
    )
    phone_number_id = models.CharField(
        max_length=32, blank=True, help_text="Number it was sent to."
    )
    wa_message_id = models.CharField(max_length=255, blank=True, help_text="Message it came with.")
    media_id = models.CharField(
        max_length=255, blank=True, help_text="What the file is asked for by."
    )
    media_sha256 = models.CharField(max_length=64, blank=True, help_text="As announced, in hex.")
    shared_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="shares",
        db_index=False,  # `proof_once_an_order` covers it
        help_text="The first row of a receipt that was named as paying several orders.",
    )
    caption = models.TextField(blank=True)
    file = models.FileField(upload_to="%Y/%m/", storage=proof_storage, blank=True, max_length=200)
    content_type = models.CharField(max_length=100, blank=True, help_text="By the file's content.")
    size = models.PositiveBigIntegerField(default=0, help_text="In bytes.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file as kept, in hex.")
    arrived_at = models.DateTimeField(help_text="When the buyer sent it.")
    late = models.BooleanField(default=False, help_text="The order had ended before it was sent.")
    unplaced_reason = models.CharField(
        max_length=14,
        choices=enums.build_choices(UnplacedReason),
        blank=True,
        default="",
        db_default="",
        help_text="Why it was kept without an order; empty: it was not.",
    )
    fetch_attempts = models.PositiveSmallIntegerField(default=0)
    fetch_at = models.DateTimeField(null=True, blank=True, help_text="When it is tried (again).")
    fetch_error = models.CharField(max_length=200, blank=True)
    rendition = models.CharField(
        max_length=11,
        choices=enums.build_choices(RenditionStatus),
        default=RenditionStatus.PENDING,
        db_default=RenditionStatus.PENDING,
        help_text="Whether pages can show the file.",
    )
    page_count = models.PositiveIntegerField(default=0, db_default=0, help_text="Of a PDF.")
    verdict = models.CharField(
        max_length=9, choices=enums.build_choices(Verdict), default=Verdict.PENDING
    )
    reject_reason = models.CharField(
        max_length=12, choices=enums.build_choices(RejectReason), blank=True
    )
    note = models.TextField(blank=True, help_text="The reviewer's words on the verdict.")
    reviewer = models.CharField(max_length=150, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Once per message, or per order that it pays; indexes of files and pending proofs."""

        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="proof_once_a_message",
                fields=["phone_number_id", "wa_message_id"],
                condition=~Q(wa_message_id="") & Q(shared_from__isnull=True),
            ),
            models.UniqueConstraint(
                name="proof_once_an_order",
                fields=["shared_from", "order"],
                condition=Q(shared_from__isnull=False),
            ),
            models.CheckConstraint(
                name="proof_shared_has_an_order",
                condition=Q(shared_from__isnull=True) | Q(order__isnull=False),
            ),
            models.CheckConstraint(
                name="proof_status_known", condition=Q(status__in=[s.value for s in ProofStatus])
            ),
            models.CheckConstraint(
                name="proof_verdict_known", condition=Q(verdict__in=[v.value for v in Verdict])
            ),
        ]
        indexes = [
            models.Index(name="proof_same_bytes", fields=["sha256"], condition=~Q(sha256="")),
            models.Index(
                name="proof_to_fetch", fields=["fetch_at"], condition=Q(status=ProofStatus.FETCHING)
            ),
            models.Index(
                name="proof_pending", fields=["order"], condition=Q(verdict=Verdict.PENDING)
            ),
        ]

    def __str__(self) -> str:
        return f"proof {self.pk}"

    @property
    def receipt_id(self) -> int:
        """Id of the first row of its receipt, which all rows of one receipt have in common."""
        return self.shared_from_id or self.pk


class PictureFingerprint(models.Model):
    """The fingerprint of a proof's picture; see `shared.raffles.fingerprints`."""

    proof = models.OneToOneField(
        PaymentProof, on_delete=models.CASCADE, primary_key=True, related_name="fingerprint"
    )
    bits = models.BinaryField(help_text="Empty: not a picture that can be compared.")

    def __str__(self) -> str:
        return f"fingerprint of proof {self.proof_id}"


class ErasedFile(models.Model):
    """A file of an erased payment proof that is still to be removed from the storage.

    The row is written with the erasure and deleted once the file is gone, so a process that dies
    in between leaves no file behind for good.
    """

    name = models.CharField(max_length=200, blank=True, help_text="In the storage of proofs.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file; names renditions.")
    receipt_id = models.BigIntegerField(help_text="Whose other rows may still need the file.")

    def __str__(self) -> str:
        return f"erased file {self.pk}"


class FingerprintBand(models.Model):
    """A band of a fingerprint; pictures that share bands are worth comparing."""

    pk = models.CompositePrimaryKey("band", "proof")
    band = models.IntegerField()
    proof = models.ForeignKey(
        PaymentProof,
        on_delete=models.CASCADE,
        related_name="bands",
        db_index=False,  # only bands are searched for
    )

    def __str__(self) -> str:
        return f"band {self.band} of proof {self.proof_id}"
