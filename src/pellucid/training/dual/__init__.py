"""The exact dual form of a training: the first layer trained in the span of the training rows.

Imported by ``training.choose_form`` alone; all other code uses ``run.form``: see :mod:`pellucid.training.form`.
"""
