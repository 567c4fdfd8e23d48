"""Installation, trial and operation: the `rafflebot` command, the demo and the sandbox."""
