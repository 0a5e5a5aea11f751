"""Comparisons of two models: on the same test samples, over the folds of cross-validation, over random seeds.

``compare`` (measure.py) is what the command does. Imported by the command line; imports scores, runs and below.
"""
