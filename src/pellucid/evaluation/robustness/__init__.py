"""Robustness: accuracy on photos that are rotated, recoloured, darkened, covered and so on, against the strength.

``robustness`` (try_perturbations.py) measures it; perturbations.py has the changes, curves.py the results and
their tests, plot_robustness.py the curves and the sheet.
"""
