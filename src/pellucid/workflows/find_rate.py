"""Use case: which learning rate suits a model and a data set."""

from typing import Any

from pellucid.data.dataset import Split
from pellucid.runs.build import make_model, plan
from pellucid.training.fit import loss_of, make_optimizer
from pellucid.training.lr_finder import RangeTest, find_learning_rate


def sweep_rates(
    split: Split, name: str, *, lowest: float, highest: float, n_steps: int, **options: Any
) -> RangeTest:
    """Train a model as its recipe says, but for a learning rate that grows from step to step.

    Parameters
    ----------
    split : Split
    name : str
        A preset or a TOML file.
    lowest, highest, n_steps
        As for :func:`pellucid.training.lr_finder.find_learning_rate`.
    **options
        Of the training, as ``pellucid train`` takes them.
    """
    config, architecture = plan(name, data=split.name, **options)
    model = make_model(config, architecture, split)
    chosen = config.for_data(split.train).options
    return find_learning_rate(
        model,
        split.train,
        optimizer=make_optimizer(chosen),
        loss=loss_of(chosen),
        batch_size=chosen.batch_size or None,
        lowest=lowest,
        highest=highest,
        n_steps=n_steps,
        seed=chosen.seed,
        dtype=chosen.dtype,
    )
