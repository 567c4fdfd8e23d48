"""Payment proofs on the pages: their files, cards and admin."""
