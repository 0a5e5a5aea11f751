"""Robustness: accuracy on photos that are rotated, recoloured, darkened, covered and so on, against the strength.

``robustness`` (try_perturbations.py) measures it; table.py lists the perturbations, curves.py has the results and
their sentences, chance.py their tests, plot_robustness.py the curves and the sheet.
Imported by reporting and workflows; imports data.augmentation, prediction, stats, plotting and below.
"""
