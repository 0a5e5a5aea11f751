"""Faster NumPy twins of ops, for where nothing is compiled."""
