"""Model of what each member of staff was told by e-mail."""

from django.conf import settings
from django.db import models


class StaffMailbox(models.Model):
    """Whether a member of staff wants e-mails, and what the last one told them.

    Each change increases `version`, so of several gateways that want to send the same digest only
    one can.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mailbox"
    )
    wants_mail = models.BooleanField(default=True)
    told = models.JSONField(default=list, help_text="Keys of the draws and alarms told so far.")
    told_proofs_until = models.DateTimeField(
        null=True, help_text="When the newest proof told so far began to wait."
    )
    told_proofs_at = models.DateTimeField(null=True, help_text="The last e-mail about proofs.")
    sent_at = models.DateTimeField(null=True, help_text="The last e-mail.")
    next_try_at = models.DateTimeField(
        null=True, help_text="Not before: an e-mail is being sent, or failed."
    )
    failures = models.PositiveIntegerField(default=0, help_text="Since the last e-mail.")
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"E-mails to {self.user}"
