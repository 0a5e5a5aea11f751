"""What a command does, without the terminal: run, train, predict, explain, compare, check data."""
