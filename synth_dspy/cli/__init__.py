"""What the command line reads: arguments only. What a command does is in `commands`."""
