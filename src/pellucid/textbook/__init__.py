# ruff: noqa: F403, F405 - each name is listed once, in __all__
"""The published tutorial, step by step, under its own names: columns are examples, parameters a dictionary.

Start with :mod:`pellucid.textbook.steps`, which is the whole network on one page. The photos are in
:mod:`pellucid.textbook.figures`, the explanatory drawings in :mod:`pellucid.textbook.drawings`; both are imported
on first use, so that the arithmetic needs NumPy alone.
"""

from typing import TYPE_CHECKING

from pellucid.textbook import steps

if TYPE_CHECKING:
    from pellucid.textbook.drawings import *
    from pellucid.textbook.figures import *
    from pellucid.textbook.steps import *

__all__ = [
    "L_layer_model",
    "L_model_backward",
    "L_model_forward",
    "compute_cost",
    "initialize_parameters",
    "initialize_parameters_deep",
    "linear_activation_backward",
    "linear_activation_forward",
    "linear_backward",
    "linear_forward",
    "load_data",
    "load_photo",
    "plot_bar",
    "plot_costs",
    "plot_flattening",
    "plot_network",
    "plot_outline",
    "plot_photo",
    "predict",
    "print_mislabeled_images",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "two_layer_model",
    "update_parameters",
    "visualize_images_and_labels",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if hasattr(steps, name):
        return getattr(steps, name)
    from pellucid.textbook import drawings, figures

    return getattr(figures if hasattr(figures, name) else drawings, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
