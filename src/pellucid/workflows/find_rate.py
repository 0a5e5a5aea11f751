"""Which learning rate suits a model and a data set."""

from pellucid.formats.architecture import Architecture
from pellucid.runs.build import make_model
from pellucid.runs.config import RunConfig
from pellucid.training.lr_finder import RangeTest, find_learning_rate
from pellucid.training.resolve import loss_of, make_optimizer


def sweep_rates(
    config: RunConfig, architecture: Architecture | None, *, lowest: float, highest: float, n_steps: int
) -> RangeTest:
    """Train a model as its recipe says, but for a learning rate that grows from step to step.

    Parameters
    ----------
    config, architecture
        As :func:`pellucid.runs.build.plan` returns them.
    lowest, highest, n_steps
        As for :func:`pellucid.training.lr_finder.find_learning_rate`.

    Raises
    ------
    PellucidError
        If data or options cannot be used.
    """
    split = config.source.load()
    options = config.for_data(split.train).options
    return find_learning_rate(
        make_model(config, architecture, split),
        split.train,
        optimizer=make_optimizer(options),
        loss=loss_of(options),
        batch_size=options.batch_size,
        lowest=lowest,
        highest=highest,
        n_steps=n_steps,
        seed=options.seed,
        dtype=options.dtype,
        kernels=options.kernels,
    )
