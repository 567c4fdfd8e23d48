"""Services of the WhatsApp channel."""
