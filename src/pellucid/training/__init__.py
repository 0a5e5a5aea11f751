"""The one training loop and what plugs into it: options, callbacks, optimizers, schedules.

Imports nn, data and ops; for whoever trains a model: runs, estimators, evaluation and the commands.
"""
