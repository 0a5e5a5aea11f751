"""The exact dual form of a training: the first layer trained in the span of the training rows.

For ``training.choose_form`` alone; all others ask ``run.form``: see :mod:`pellucid.training.form`.
"""
