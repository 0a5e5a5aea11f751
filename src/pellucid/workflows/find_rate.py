"""Use case: which learning rate suits a model and a data set."""

from typing import Any

from pellucid.data.dataset import Split
from pellucid.runs.build import loss_of, make_model, make_optimizer, plan, usable_batch_size
from pellucid.training.lr_finder import RangeTest, find_learning_rate


def sweep_rates(
    split: Split, model: str, *, lowest: float, highest: float, n_steps: int, **options: Any
) -> RangeTest:
    """Train a model as its recipe says, but for a learning rate that grows from step to step.

    Parameters
    ----------
    split : Split
    model : str
        A preset or a TOML file.
    lowest, highest, n_steps
        As for :func:`pellucid.training.lr_finder.find_learning_rate`.
    **options
        Of the training, as ``pellucid train`` takes them.
    """
    config, architecture = plan(model, data=split.name, **options)
    return find_learning_rate(
        make_model(config, architecture, split),
        split.train,
        optimizer=make_optimizer(config),
        loss=loss_of(config, split.train.y),
        batch_size=usable_batch_size(config, len(split.train)),
        lowest=lowest,
        highest=highest,
        n_steps=n_steps,
        seed=config.seed,
        dtype=config.dtype,
    )
