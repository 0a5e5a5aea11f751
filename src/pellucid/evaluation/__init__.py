"""Evaluation of a trained model, a folder a subject, each with its measures, sentences and figures.

From below: scores of predictions; saliency; comparison, robustness, influence and photo. A subject imports those
below it. Imported by report, workflows and the command line.
"""
