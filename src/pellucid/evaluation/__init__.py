"""Evaluation of a trained model, a folder a subject, each with its measures, sentences and figures.

scores (of predictions), saliency, and above these comparison, robustness, influence and photo; a subject imports the
ones below. Imported by report, workflows and the command line.
"""
