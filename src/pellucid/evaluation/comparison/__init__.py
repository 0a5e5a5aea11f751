"""Comparisons of two models: on the same test samples (paired.py), over the folds of cross-validation (folds.py),
over random seeds (seeds.py), with and without the last blocks of a body trained on (unfreezing.py).

splitting.py makes the folds, labels.py matches predictions with the data's classes, plot_comparison.py draws.
"""
