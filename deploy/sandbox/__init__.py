"""A stand-in for Meta's WhatsApp Cloud API on this machine; README.md describes it."""
