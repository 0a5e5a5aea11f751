"""Robustness: accuracy on photos that are rotated, recoloured, darkened, covered and so on, against the strength.

``robustness`` (try_perturbations.py) measures it; table.py lists the perturbations, text.py has the sentences,
plot_robustness.py the curves and the sheet. Imported by the report and workflows; imports scores and below.
"""
