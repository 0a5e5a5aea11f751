"""Sweeps: many trainings, each with other options, and which of them are best.

``sweep`` (measure.py) is what the command does; it imports comparison and below.
"""
