"""What a command does, without the terminal: run, train, predict, find a rate, reproduce, benchmark.

Imported by the command line, the studio and the server.
"""
