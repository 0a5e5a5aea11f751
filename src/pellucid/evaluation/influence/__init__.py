"""Influence of training samples on predictions: TracIn, leave-one-out, and trainings without groups of samples.

``influence`` (measure.py) is what the command does; text.py has its sentences, figures.py its page. Imported by the
report and the command line; imports scores, runs, training and below.
"""
