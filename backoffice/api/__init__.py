"""The API that n8n and other programs confirm payments with."""
