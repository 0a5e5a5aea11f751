"""Whether a model was trained on other data than those that it is evaluated on, and what is said of it."""

from pellucid.data.dataset import Dataset
from pellucid.data.hashing import data_hash
from pellucid.nn.model import Model

OTHER_DATA = (
    "The model was trained on other data than the training part of these; "
    "samples that it has seen may go unnoticed."
)


def on_new_table(n_rows: int) -> str:
    """Return the note on a table of which no part is known to be held out."""
    return (
        f"The model was trained on another table: all {n_rows} rows are tested; rows that it has seen may go "
        "unnoticed."
    )


def was_trained_on_other(model: Model, train: Dataset) -> bool:
    """Return whether it is known that a model was trained on other samples than these."""
    known = model._summary_of_training.get("data_sha256")
    return known is not None and known != data_hash(train)
