"""REST API for n8n and other programs, mainly to confirm payments."""
