"""Scores of a model: predictions in one pass, metrics with intervals, calibration, galleries of samples.

``evaluate`` (evaluate.py) is what the command prints.
"""
