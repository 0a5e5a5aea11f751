"""The command line: one thin file per command, which reads its options, calls a workflow and prints the result.

No other room imports it; ``python -m pellucid`` and the console script run ``cli/main.py``.
"""
