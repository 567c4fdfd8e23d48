"""How it is installed, tried and operated: the `rafflebot` command and the sandbox."""
