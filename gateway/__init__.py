"""The gateway: the process that receives Meta's webhooks, answers buyers and sends messages."""

from shared.core.hidden_modules import hide_modules

with hide_modules("click", "pygments", "rich"):  # for httpx's own command line
    import httpx  # noqa: F401 - the first import decides what it loads
