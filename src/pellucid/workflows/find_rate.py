"""Which learning rate suits a model and a data set."""

from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.build import RunRequest, make_model
from pellucid.training.lr_finder import search_rates
from pellucid.training.rate_search import RateSearch


def find_rate(
    asked: RunRequest,
    *,
    lowest: float,
    highest: float,
    n_rates: int,
    progress: ProgressCallback = no_progress,
) -> RateSearch:
    """Try learning rates for a training as its recipe and options say.

    Parameters
    ----------
    asked : RunRequest
    lowest, highest, n_rates, progress
        As for :func:`pellucid.training.lr_finder.find_learning_rate`.

    Raises
    ------
    PellucidError
        If data or options cannot be used.
    """
    split = asked.load()
    options = asked.config.for_data(split.train).options
    model = make_model(asked.config, asked.architecture, split)
    return search_rates(
        model, split.train, options, min_lr=lowest, max_lr=highest, n_rates=n_rates, progress=progress
    )
