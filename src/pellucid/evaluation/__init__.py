"""Evaluation of a trained model, one folder per subject, each with its measures, text and figures.

A subject imports those below it: scores of predictions; saliency; comparison, robustness, influence, explain (one
photo) and columns (of tables); label_errors and sweep.
"""
