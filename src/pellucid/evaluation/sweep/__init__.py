"""Sweeps: many trainings, each with other options, and which of them are best.

``sweep`` (sweep.py) is what the command does; it imports comparison and below.
"""
