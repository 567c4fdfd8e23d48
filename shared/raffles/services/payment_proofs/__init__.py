"""Payment proofs: their files, verdicts, and those that look alike or fit no order."""
