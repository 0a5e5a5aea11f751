"""Comparisons of two models: on the same test samples, over the folds of cross-validation, over random seeds.

Imported by workflows; imports scores, runs and below.
"""
