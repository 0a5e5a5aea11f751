"""The entries of a model file's header, declared once: docs/model-format.md lists them."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One entry of the header."""

    kind: str  # as JSON has it
    meaning: str
    is_optional: bool = False  # a reader does without it


HEADER = {
    "format_version": Entry("integer", "Version of the format: 1."),
    "architecture": Entry(
        "object",
        "The network: the registered name of a layer or structure as `type`, its options beside it, layers inside "
        "it as objects of the same kind. A layer that stands in several places has a name as `shared` in the "
        'first; `{"shared": name}` stands for it in the others.',
    ),
    "dtype": Entry("string", "`float32` or `float64`: the dtype of every tensor, and of the computation."),
    "input_shape": Entry(
        "array or object",
        "The shape of one prepared sample without the axis of samples; of several inputs, one by name. "
        "Photos: `[height, width, channels]`.",
    ),
    "loss": Entry(
        "object",
        "The registered name of the loss as `type`, and its options that are not at their defaults. It says how "
        "outputs are read: as logits of classes, of yes-or-no questions, or as quantities.",
    ),
    "frozen": Entry("array of strings", "Names of the layers that a training leaves as they are.", True),
    "preprocessing": Entry(
        "object or null",
        "What is done to raw inputs first. `kind` is `divide` (whole numbers by `divisor`; floats count as "
        "prepared), `standardize` (minus `mean`, divided by `scale`, one of each a column), "
        "`robust` (minus `centre`, divided by `scale`, then z / sqrt(1 + (z / `clip`)^2)) or `none`.",
    ),
    "inputs": Entry(
        "object or null",
        "What the inputs of the training looked like: `dtype`, `low` and `high` (least and largest number), "
        "`is_whole`, `is_divided` (whole numbers divided by 255), `n_values` (numbers in a sample), "
        "`white` (of floating-point and of 32-bit grey pictures, 0: there were none), `fit` (how "
        "photos got their shape: `squeeze`, `crop` or `pad`); of several "
        "inputs `by_name`. Inputs of another range are converted or refused; without it, or with null, all pass.",
        True,
    ),
    "schema": Entry(
        "object or null",
        "Of a model of a table: `columns`, `target`, `task`, `classes` and the `decimal` sign; `missing`, the "
        "words for no value, where they are not the usual ones; `left_out`, columns that are no inputs (`name`, "
        "`reason`, and `value` of one that never changed). A column has a `name`, a `kind` and, where they are "
        "not empty, `categories`, `fill`, `marks_gaps` and `parts`. `category` becomes one input of 0 and 1 for "
        "each of its `categories` (`(missing)`: an empty cell; `(rare)`: any other word); `numeric` and "
        "`boolean` (yes: 1) one; `date`, `dmy` and `mdy` (31/5/2024, 5/31/2024) one for each of `parts`, "
        "counted from days since 1970. For a missing value stands `fill`, and with `marks_gaps` a last input is "
        "1 there.",
    ),
    "classes": Entry("array of strings", "Names of the classes, in the order of the outputs; may be empty."),
    "training": Entry("object", "A record of the training, for people; prediction does not need it."),
}
