"""Old home of `backoffice.accounts`; sessions hold the path of its authentication backend."""
