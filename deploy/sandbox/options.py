"""Options that are fixed at the start, and settings that can change while it runs."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

StatusName = Literal["sent", "delivered", "read"]


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """Options that are fixed when the server starts.

    Args:
        app_secret: signs webhooks, as Meta's app does.
        access_token: the bearer that requests must carry.
        phone_number_ids: the business numbers; buyers write to the first one by default.
        country_code: calling code of those numbers; prepended to a `to` that has no `+`.

    """

    app_secret: str = "sandbox-app-secret"  # noqa: S105 - a play secret of a play server
    access_token: str = "sandbox-access-token"  # noqa: S105
    phone_number_ids: tuple[str, ...] = ("106540352242922",)
    waba_id: str = "102290129340398"
    app_id: str = "670843887433847"
    verified_name: str = "Raffle Tickets"
    country_code: str = "1"

    def get_display_number(self, phone_number_id: str) -> str:
        """Return the public number, digits only, as in `metadata` of a webhook."""
        place = self.phone_number_ids.index(phone_number_id)
        return f"1555010{9900 + place:04d}"


class SandboxBehaviour(BaseModel):
    """Settings that `PATCH /sandbox/settings` can change; times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_url: str = "http://127.0.0.1:8080/webhook"
    unknown_recipients: Literal["accept", "undeliverable", "not_allowed"] = "accept"
    window: Literal["sync", "async", "off"] = "sync"
    statuses: tuple[StatusName, ...] = ("sent", "delivered", "read")
    delivery_delay: float = Field(default=0, ge=0, le=3600)
    status_delay: float = Field(default=0, ge=0, le=3600)
    duplicates: int = Field(default=0, ge=0, le=20)
    retry_delays: tuple[float, ...] = Field(
        default=(0, 0.2, 0.5, 1, 2, 5), min_length=1, max_length=50
    )
    give_up_after: float = Field(default=7 * 24 * 3600, ge=0)
    max_pending: int = Field(default=20_000, ge=1, le=100_000)
    webhook_timeout: float = Field(default=20, gt=0, le=120)
    in_order: bool = True
    media_url_seconds: float = Field(default=300, ge=0)
    pair_limit: bool = False
    fetch_links: bool = False
    subscribed_fields: tuple[str, ...] = ("messages",)
    phone_number_status: str = "CONNECTED"
