"""Evaluation of a trained model, one folder per subject, each with its measures, text and figures.

From below: scores of predictions; saliency; comparison, robustness, influence and photo. A subject imports those
below it. Imported by report, workflows and the command line.
"""
