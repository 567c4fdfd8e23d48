"""Pages for sharing a raffle: its link, its QR code, its poster, and where buyers came from."""
