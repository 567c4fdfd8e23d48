"""Models of the API: tokens and idempotent requests."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from shared.core import enums
from shared.core.enums import Scope


class ApiToken(models.Model):
    """Token of a program. Only its hash is stored; the text is shown once, on creation."""

    name = models.CharField(max_length=60, help_text="Who uses it, e.g. n8n; histories show it.")
    prefix = models.CharField(
        max_length=12, editable=False, help_text="How the token begins, to tell it from others."
    )
    digest = models.CharField(
        max_length=64, unique=True, editable=False, help_text="SHA-256 of the token, in hex."
    )
    scope = models.CharField(
        max_length=6,
        choices=enums.build_choices(Scope),
        default=Scope.READ,
        help_text="Read: look only. Review: decide about payments, too. Admin: refund and run "
        "raffles, too. Draw: look, enter values and draw.",
    )
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To the minute."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        """Newest first, with unique names among the tokens that are not revoked."""

        verbose_name = "API token"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="api_token_scope_known", condition=Q(scope__in=[s.value for s in Scope])
            ),
            models.UniqueConstraint(
                name="api_token_name_once", fields=["name"], condition=Q(revoked_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IdempotentRequest(models.Model):
    """A request with an `Idempotency-Key`, and the response to it."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=300, help_text="Its beginning, to tell people.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    created_at = models.DateTimeField()
    lease = models.UUIDField(null=True, help_text="Of the one who carries it out now.")
    lease_until = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Answered with; empty: not yet.")
    body = models.TextField(blank=True, help_text="The answer's, byte by byte as it was sent.")

    class Meta:
        """Keys are unique per token or user; an index by age serves the deletion of old rows."""

        constraints = [
            models.UniqueConstraint(
                name="idempotent_once_a_token",
                fields=["token", "key"],
                condition=Q(token__isnull=False),
            ),
            models.UniqueConstraint(
                name="idempotent_once_a_user",
                fields=["user", "key"],
                condition=Q(user__isnull=False),
            ),
            models.CheckConstraint(
                name="idempotent_of_a_token_or_a_user",
                condition=Q(token__isnull=False, user__isnull=True)
                | Q(token__isnull=True, user__isnull=False),
            ),
        ]
        indexes = [models.Index(name="idempotent_by_age", fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
