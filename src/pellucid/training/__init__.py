"""The one training loop and what plugs into it: options, callbacks, optimizers, schedules.

Imports nn, data and ops; imported by runs, estimators, evaluation and the commands.
"""
