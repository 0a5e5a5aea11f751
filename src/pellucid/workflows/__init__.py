"""What a command does, without the terminal: run, train, predict, explain, compare, check data.

Imported by the command line, the studio and the server.
"""
