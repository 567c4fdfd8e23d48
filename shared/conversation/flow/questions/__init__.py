"""Questions of buyers: who answers which, and what the answer ends with."""
