"""The folder of a run: what was asked for, what came out, and how its data are found again.

One writer serves ``pellucid run`` and ``pellucid train``; reading a run evaluates nothing. Imported by evaluation
and the rooms above it.
"""
