"""Which learning rate suits a model and a data set."""

from pellucid.formats.architecture import Architecture
from pellucid.progress import ProgressCallback, no_progress
from pellucid.runs.build import make_model
from pellucid.runs.config import RunConfig
from pellucid.training.lr_finder import search_rates
from pellucid.training.rate_search import RateSearch


def find_rate(
    config: RunConfig,
    architecture: Architecture | None,
    *,
    lowest: float,
    highest: float,
    n_rates: int,
    progress: ProgressCallback = no_progress,
) -> RateSearch:
    """Try learning rates for a training as its recipe and options say.

    Parameters
    ----------
    config, architecture
        As :func:`pellucid.runs.build.plan` returns them.
    lowest, highest, n_rates, progress
        As for :func:`pellucid.training.lr_finder.find_learning_rate`.

    Raises
    ------
    PellucidError
        If data or options cannot be used.
    """
    split = config.load()
    options = config.for_data(split.train).options
    model = make_model(config, architecture, split)
    return search_rates(
        model, split.train, options, lowest=lowest, highest=highest, n_rates=n_rates, progress=progress
    )
