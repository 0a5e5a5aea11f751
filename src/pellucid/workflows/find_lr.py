"""Which learning rate suits a model and a data set."""

from typing import Any

from pellucid.runs.build import RunRequest, make_model
from pellucid.training.lr_finder import search_rates
from pellucid.training.rate_search import RateSearch


def find_lr(asked: RunRequest, **search: Any) -> RateSearch:
    """Try learning rates for a training as its recipe and options say.

    Parameters
    ----------
    asked : RunRequest
    **search
        ``min_lr``, ``max_lr``, ``n_rates`` and ``progress`` of :func:`.find_learning_rate`.

    Raises
    ------
    PellucidError
        If data or options cannot be used.
    """
    split = asked.load()
    options = asked.config.for_data(split.train).options
    model = make_model(asked.config, asked.architecture, split)
    return search_rates(model, split.train, options, **search)
