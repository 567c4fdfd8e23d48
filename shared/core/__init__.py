"""Words, errors, configuration and retry times; knows nothing of the rest."""
