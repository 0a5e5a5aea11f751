"""Influence of training samples on predictions: TracIn, leave-one-out, and trainings without groups of samples.

``begin_influence`` (measure.py) does it; text.py has its sentences, figures.py its page. Imported by the report
and workflows; imports scores, runs, training and below.
"""
