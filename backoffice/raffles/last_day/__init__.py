"""Last day of a raffle: moving the draw, calling off, refunds owed and buyers to tell."""
