"""Tables of maintenance: the versions that migrated the database."""

from django.db import models


class InstalledVersion(models.Model):
    """A version of the product that migrated the database; the newest row is the current one."""

    version = models.CharField(max_length=32)
    migrated_at = models.DateTimeField()

    class Meta:
        """Options; no page lists these rows, so they need no permissions."""

        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        """Return the version."""
        return self.version
