"""Table of buyers' sentences with their meaning, and the score of the conversation over it."""
