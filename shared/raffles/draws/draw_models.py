"""Models of draws: rules, prizes, receipt chain, sealed list, values, results and winners.

Rows of `ReceiptEntry`, `SealedList` and `DrawResult` never change: the database refuses it, too.
"""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from shared.core import enums
from shared.core.constants import DEFAULT_CLAIM_DAYS, MAX_CLAIM_DAYS
from shared.core.enums import (
    ActorKind,
    ReceiptKind,
    RedrawReason,
    SourceKind,
    UnsoldRule,
    VoidReason,
)


class DrawRules(models.Model):
    """The rules of a raffle's draw, beside its method; frozen when the first number is sold."""

    raffle = models.OneToOneField(
        "raffles.Raffle", on_delete=models.PROTECT, primary_key=True, related_name="rules"
    )
    unsold_rule = models.CharField(
        "an unsold number",
        max_length=17,
        choices=enums.build_choices(UnsoldRule),
        default=UnsoldRule.NEXT_SOLD_UPWARDS,
        help_text="What decides if the digits of the lottery are a number that was not sold.",
    )
    minimum_sold = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="If fewer numbers are sold, the raffle is called off and the money goes back.",
    )
    claim_days = models.PositiveSmallIntegerField(
        default=DEFAULT_CLAIM_DAYS,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_CLAIM_DAYS)],
        help_text="Days after the draw within which a prize is claimed; then it is drawn again.",
    )
    further_terms = models.TextField(
        blank=True, max_length=2000, help_text="Whatever else buyers must know."
    )
    text = models.TextField(
        blank=True, editable=False, help_text="The rules as frozen; empty: not frozen yet."
    )
    sha256 = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of the text in UTF-8, in hex."
    )
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        """Frozen rules have a text with its hash."""

        verbose_name_plural = "draw rules"
        constraints = [
            models.CheckConstraint(
                name="rules_frozen_with_text",
                condition=Q(frozen_at__isnull=True) | (~Q(text="") & ~Q(sha256="")),
            )
        ]

    def __str__(self) -> str:
        return f"rules of raffle {self.pk}"


class DrawSource(models.Model):
    """A public source of values, named before the first number is sold."""

    raffle = models.ForeignKey(
        "raffles.Raffle", on_delete=models.PROTECT, related_name="draw_sources"
    )
    position = models.PositiveSmallIntegerField(help_text="The first one is 1.")
    kind = models.CharField(
        max_length=7, choices=enums.build_choices(SourceKind), default=SourceKind.DRAND
    )
    name = models.CharField(max_length=120, help_text="As the public knows it.")
    url = models.URLField("address", blank=True, help_text="Where its values are published.")
    at = models.DateTimeField(
        null=True, blank=True, help_text="Of its draw; empty: the time of the raffle's draw."
    )
    repeat_days = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="Days until its next draw, which decides if this one is late or cancelled.",
    )
    value_count = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(40)],
        help_text="How many numbers it draws.",
    )
    lowest = models.PositiveIntegerField(default=0)
    highest = models.PositiveBigIntegerField(default=0, help_text="0: any; drand has none.")
    repeats_values = models.BooleanField(
        default=False, help_text="Whether it can draw the same number twice."
    )

    class Meta:
        """One source per position."""

        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="draw_source_position", fields=["raffle", "position"]),
            models.CheckConstraint(
                name="draw_source_bounds_make_sense",
                condition=Q(highest__gte=F("lowest")) & Q(value_count__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Prize(models.Model):
    """A prize of a raffle; the first one is drawn first."""

    raffle = models.ForeignKey("raffles.Raffle", on_delete=models.PROTECT, related_name="prizes")
    position = models.PositiveSmallIntegerField(help_text="The first one is 1.")
    title = models.CharField(max_length=120)
    picture = models.ImageField(upload_to="prizes/", blank=True)

    class Meta:
        """One prize per position."""

        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="prize_position", fields=["raffle", "position"])
        ]

    def __str__(self) -> str:
        return self.title


class ReceiptChain(models.Model):
    """The head of a raffle's hash chain over its sales; its row is the last one locked."""

    raffle = models.OneToOneField(
        "raffles.Raffle", on_delete=models.PROTECT, primary_key=True, related_name="receipt_chain"
    )
    length = models.PositiveIntegerField(default=0, help_text="Number of the last entry.")
    head = models.CharField(max_length=64, help_text="Hash after that entry, in hex.")
    complete = models.BooleanField(
        default=False,
        help_text="Whether the orders that were paid before the chain began are in it.",
    )

    def __str__(self) -> str:
        return f"receipt chain of raffle {self.pk}"


class ReceiptEntry(models.Model):
    """An entry of a raffle's receipt chain; never changed or deleted."""

    raffle = models.ForeignKey(
        "raffles.Raffle",
        on_delete=models.PROTECT,
        related_name="receipt_entries",
        db_index=False,  # the unique constraint covers it
    )
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=4, choices=enums.build_choices(ReceiptKind))
    order = models.ForeignKey(
        "raffles.Order", on_delete=models.PROTECT, related_name="receipt_entries"
    )
    ticket_numbers = models.TextField(
        blank=True, help_text="Of a sale: with their zeros, ascending, joined by commas."
    )
    voided = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of a void: number of the entry that counts no more."
    )
    head = models.CharField(max_length=64, help_text="Hash after this entry, in hex.")
    at = models.DateTimeField()

    class Meta:
        """Numbered per raffle; an entry is made void once."""

        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="receipt_entry_number", fields=["raffle", "number"]),
            models.UniqueConstraint(
                name="receipt_voided_once",
                fields=["raffle", "voided"],
                condition=Q(voided__isnull=False),
            ),
            models.CheckConstraint(
                name="receipt_sale_or_void",
                condition=(Q(kind=ReceiptKind.SALE, voided__isnull=True) & ~Q(ticket_numbers=""))
                | Q(kind=ReceiptKind.VOID, voided__isnull=False, ticket_numbers=""),
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.number}"


class SealedList(models.Model):
    """The list of sold numbers that a raffle is drawn from; never changed or deleted."""

    raffle = models.OneToOneField(
        "raffles.Raffle", on_delete=models.PROTECT, primary_key=True, related_name="sealed_list"
    )
    numbers = models.BinaryField(
        help_text="Ticket numbers with their zeros, ascending, one a line, each ended by LF."
    )
    sha256 = models.CharField(max_length=64, help_text="Of exactly these bytes, in hex.")
    count = models.PositiveIntegerField(help_text="Sold numbers.")
    unsold = models.PositiveIntegerField(help_text="Numbers that were not sold.")
    chain_head = models.CharField(max_length=64)
    chain_length = models.PositiveIntegerField()
    two_people = models.BooleanField(
        help_text="Whether each value is entered by one person and confirmed by another."
    )
    sources = models.JSONField(
        default=list,
        help_text="The date that decides, of each source by its position; of drand the round, too.",
    )
    sealed_at = models.DateTimeField()
    by_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    by_id = models.CharField(max_length=64, blank=True)
    by_label = models.CharField(max_length=150, blank=True)

    def __str__(self) -> str:
        return f"sealed list of raffle {self.pk}"


class SourceReading(models.Model):
    """Values that a source published, or the stub that came out of the drum.

    One person enters it and, if the sealing asked for two people, another one confirms it.
    """

    raffle = models.ForeignKey(
        "raffles.Raffle", on_delete=models.PROTECT, related_name="source_readings"
    )
    inputs = models.PositiveSmallIntegerField(
        default=0, help_text="How often drawn values had been declared void before."
    )
    source = models.ForeignKey(
        DrawSource, on_delete=models.PROTECT, null=True, blank=True, related_name="readings"
    )
    date_index = models.PositiveIntegerField(
        default=0, help_text="Of the source's dates; 0 is the first one that the rules name."
    )
    at = models.DateTimeField(null=True, blank=True, help_text="The source's date.")
    prize = models.ForeignKey(
        Prize, on_delete=models.PROTECT, null=True, blank=True, related_name="stubs"
    )
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Of a stub: of the prize.")
    values = models.JSONField(default=list, help_text="As published; empty: nothing was.")
    link = models.URLField(blank=True, max_length=500, help_text="Where it can be seen.")
    photo = models.ImageField(upload_to="draws/", blank=True)
    entered_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    entered_id = models.CharField(max_length=64, blank=True)
    entered_by = models.CharField(max_length=150, blank=True)
    entered_owner = models.CharField(
        max_length=150, blank=True, help_text="If a token entered it: who created the token."
    )
    entered_at = models.DateTimeField()
    confirmed_kind = models.CharField(
        max_length=8, blank=True, choices=enums.build_choices(ActorKind)
    )
    confirmed_id = models.CharField(max_length=64, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(
        max_length=11, blank=True, choices=enums.build_choices(VoidReason)
    )
    void_comment = models.TextField(blank=True)
    void_proposed_id = models.CharField(
        max_length=64, blank=True, help_text="If two people decide: the first one."
    )
    void_proposed_by = models.CharField(max_length=150, blank=True)
    void_proposed_at = models.DateTimeField(null=True, blank=True)
    void_of_draw = models.BooleanField(
        default=False, help_text="Whether a prize had been drawn from it before."
    )
    voided_by = models.CharField(max_length=150, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One reading that counts per date of a source, and per stub of a prize."""

        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                name="reading_once_a_date",
                fields=["source", "inputs", "date_index"],
                condition=Q(voided_at__isnull=True, source__isnull=False),
            ),
            models.UniqueConstraint(
                name="reading_once_a_stub",
                fields=["prize", "attempt"],
                condition=Q(voided_at__isnull=True, prize__isnull=False),
            ),
            models.CheckConstraint(
                name="reading_of_a_source_or_a_stub",
                condition=Q(source__isnull=True, prize__isnull=False)
                | Q(source__isnull=False, prize__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"reading {self.pk}"

    @property
    def counts(self) -> bool:
        """Whether it is confirmed and was not declared void."""
        return self.confirmed_at is not None and self.voided_at is None

    @property
    def is_void_proposed(self) -> bool:
        """Whether one person declared it void and another one has not done so yet."""
        return self.void_proposed_at is not None and self.voided_at is None


class DrawResult(models.Model):
    """A selected ticket number for a prize; never changed or deleted."""

    raffle = models.ForeignKey(
        "raffles.Raffle", on_delete=models.PROTECT, related_name="draw_results"
    )
    prize = models.ForeignKey(Prize, on_delete=models.PROTECT, related_name="results")
    attempt = models.PositiveSmallIntegerField(help_text="Of the prize; the first one is 1.")
    inputs = models.PositiveSmallIntegerField(
        default=0, help_text="How often drawn values had been declared void before."
    )
    selection = models.PositiveIntegerField(help_text="From 0, among the same inputs.")
    number = models.PositiveIntegerField(help_text="The ticket number that was drawn.")
    how = models.JSONField(
        default=dict, help_text="What it was computed from, so that pages can show it."
    )
    reason = models.CharField(max_length=11, blank=True, choices=enums.build_choices(RedrawReason))
    comment = models.TextField(blank=True)
    at = models.DateTimeField()
    by_kind = models.CharField(max_length=8, choices=enums.build_choices(ActorKind))
    by_id = models.CharField(max_length=64, blank=True)
    by_label = models.CharField(max_length=150, blank=True)

    class Meta:
        """Unique per prize and attempt; a number and a selection once among the same inputs."""

        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="draw_attempt_unique", fields=["prize", "attempt"]),
            models.UniqueConstraint(
                name="draw_selection_unique", fields=["raffle", "inputs", "selection"]
            ),
            models.UniqueConstraint(name="draw_number_once", fields=["raffle", "inputs", "number"]),
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} for {self.prize_id}"


class PrizeClaim(models.Model):
    """The winner of a result: confirmed by a person, told, and the prize claimed or not.

    Name and phone number are kept here for as long as the record of the draw is, whatever becomes
    of the buyer's other data.
    """

    result = models.OneToOneField(
        DrawResult, on_delete=models.PROTECT, primary_key=True, related_name="claim"
    )
    order = models.ForeignKey("raffles.Order", on_delete=models.PROTECT, related_name="claims")
    winner_name = models.CharField(max_length=150, blank=True)
    winner_phone = models.CharField(max_length=32, blank=True)
    confirmed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    name_consent = models.BooleanField(
        null=True, blank=True, help_text="May the first name be published? Empty: not answered."
    )
    claimed_by = models.CharField(max_length=150, blank=True, help_text="Who noted it.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="E.g. how the prize was handed over.")
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"claim of result {self.pk}"
