"""Influence of training samples on predictions: TracIn, leave-one-out, and trainings without groups of samples.

``begin_influence`` (find_influence.py) does it; plot_influence.py has its page.
Imported by reporting and workflows; imports scores, runs, training and below.
"""
