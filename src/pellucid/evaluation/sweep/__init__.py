"""Sweeps: many trainings, each with other options, and which of them are best.

``sweep`` (sweep.py) is what the command does; train_trial.py has one of its trainings.
"""
