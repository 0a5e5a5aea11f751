"""The folder of a run: its configuration, its results, and where its data come from; and many trainings at once.

One writer serves ``pellucid run`` and ``pellucid train``; reading a run evaluates nothing.
"""
