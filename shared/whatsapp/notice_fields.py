"""Fields and events of webhooks that are no messages: which of them somebody should look at."""

from typing import Final

ATTENTION_FIELDS: Final = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "phone_number_quality_update",
        "security",
    }
)
"""Fields that somebody should look at."""


ROUTINE_EVENTS: Final = frozenset(
    {
        "ACCOUNT_RECONNECTED",
        "AD_ACCOUNT_LINKED",
        "APPROVED",
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        "MM_LITE_TERMS_SIGNED",
        "PARTNER_ADDED",
        "PARTNER_APP_INSTALLED",
        "THROUGHPUT_UPGRADE",
        "VERIFIED_ACCOUNT",
        "VOLUME_BASED_PRICING_TIER_UPDATE",
    }
)
"""Events and decisions in those fields that need no attention."""
