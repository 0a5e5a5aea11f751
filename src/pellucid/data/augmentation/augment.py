"""Augmentation: random changes of each photo in training, so that a network learns what they have in common."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from pellucid.data.augmentation.colour import (
    Brightness,
    Contrast,
    Saturation,
)
from pellucid.data.augmentation.composed import apply_run, runs_of
from pellucid.data.augmentation.geometry import Crop, HorizontalFlip, Rotation, Scale, Shift
from pellucid.data.augmentation.mixing import Blend, CutMix
from pellucid.data.augmentation.parts import Part
from pellucid.data.augmentation.transform import TRANSFORMS, Transform, check_batch
from pellucid.errors import OptionError, ShapeError, unknown_name
from pellucid.registry import check_option, explain_calls
from pellucid.types import Array, n_rows

_PHOTO = (HorizontalFlip(0.5), Crop(4), Brightness(0.1), Contrast(0.1), Saturation(0.1))
AUGMENT_PRESETS: dict[str, tuple[Transform, ...]] = {
    "photo": _PHOTO,
    "photo-cutmix": (*_PHOTO, CutMix()),
    "photo-strong": (
        HorizontalFlip(0.5),
        Rotation(10),
        Scale(0.9, 1.1),
        Shift(0.08, 0.08),
        Brightness(0.15),
        Contrast(0.15),
        Saturation(0.15),
    ),
}


@final
@explain_calls
class Augment:
    """Transforms one after another.

    Parameters
    ----------
    transforms : sequence of Transform, str or mapping
        In the order of application: a transform, its name, or a table such as
        ``{"type": "rotation", "degrees": 10}``. Geometric neighbours with the same edge become one map and one
        interpolation, and colour neighbours one map that is clipped to 0..1 once.

    Raises
    ------
    OptionError
        If one of them is not a transform, or a name or an option is unknown.

    Examples
    --------
    >>> augment = Augment([HorizontalFlip(), Rotation(10), Brightness(0.1)])
    >>> photos = np.random.default_rng(0).random((4, 8, 8, 3), dtype=np.float32)
    >>> X, Y = augment.apply(photos, np.eye(4), np.random.default_rng(1))
    >>> X.shape, X.dtype
    ((4, 8, 8, 3), dtype('float32'))
    >>> Augment.from_config(augment.config()) == augment
    True
    """

    def __init__(self, transforms: Sequence[Transform | str | Mapping[str, Any]]) -> None:
        given = check_option("Augment", "transforms", transforms, Sequence)
        self.transforms = tuple(TRANSFORMS.resolve(transform) for transform in given)
        self._runs = runs_of(self.transforms)

    def apply(
        self, X: Array, Y: Any, rng: np.random.Generator, *, out: Array | None = None
    ) -> tuple[Array, Any]:
        """Return a changed copy of a batch and its targets.

        Parameters
        ----------
        X : Array, shape (m, h, w, c), float32 or float64, 0 to 1
            c is 1 or 3. Not modified, unless ``out`` is X.
        Y : Array, dict of Array, or None, shape (m, ...)
            Only Mixup and CutMix change it, and need floats of shape (m, k) or (m, 1); otherwise it is returned
            unchanged.
        rng : numpy.random.Generator
            The same state gives the same result; how many numbers are drawn depends on the shape of X alone.
        out : Array, shape and dtype of X, optional
            Written and returned; may be X itself.

        Returns
        -------
        X : Array, shape and dtype of the input's
        Y : same type as the input

        Raises
        ------
        ShapeError, DataError
            If X does not hold images from 0 to 1, or the targets do not fit.
        """
        check_batch("Augment", X, must_be_in_range=any(not t.stays_in_range for t in self.transforms))
        if Y is not None and n_rows(Y) != len(X):
            raise ShapeError(f"Augment: X has {len(X)} samples and Y has {n_rows(Y)} targets.")
        if out is not None and (out.shape != X.shape or out.dtype != X.dtype):
            raise ShapeError(
                f"Augment: expected out of shape {X.shape} and {X.dtype}, got {out.shape} and {out.dtype}."
            )
        result = np.empty(X.shape, X.dtype) if out is None else out
        if result is not X and not self._runs:
            result[...] = X
        source = X
        for run in self._runs:
            Y = apply_run(run, source, Y, rng, result)
            source = result  # in place from here on
        return result, Y

    def apply_to_part(self, X: Array, part: Part, rng: np.random.Generator) -> None:
        """Change some samples of a batch, in place, as :meth:`apply` would change the whole.

        Parameters
        ----------
        X : Array, shape (n, h, w, c)
            The samples of ``part``. Those whose partners are not among them come out wrong: see
            :meth:`pellucid.data.augmentation.parts.Rehearsal.needed`.
        part : Part
        rng : numpy.random.Generator
            As for the whole batch.

        Examples
        --------
        >>> augment = Augment([HorizontalFlip(), Rotation()])
        >>> X = np.repeat(np.eye(8)[None, ..., None], 4, axis=0)
        >>> whole, _ = augment.apply(X, None, np.random.default_rng(1))
        >>> part, some = Part(np.array([1, 3]), 4), X[[1, 3]].copy()
        >>> augment.apply_to_part(some, part, np.random.default_rng(1))
        >>> bool((some == whole[[1, 3]]).all())
        True
        """
        check_batch("Augment", X, must_be_in_range=any(not t.stays_in_range for t in self.transforms))
        for run in self._runs:
            apply_run(run, X, None, rng, X, part)

    def config(self) -> dict[str, Any]:
        """Return the transforms' options, as JSON and TOML can represent them."""
        return {"transforms": [transform.config() for transform in self.transforms]}

    @property
    def mixes_targets(self) -> bool:
        """Whether targets must be rows of numbers that can be mixed, not labels."""
        return any(isinstance(transform, Blend) for transform in self.transforms)

    @classmethod
    def from_config(cls, config: "str | Sequence[Mapping[str, Any]] | Mapping[str, Any]") -> "Augment":
        """Return the Augment that ``config`` describes.

        Parameters
        ----------
        config : str, sequence or mapping
            A preset's name, a list of tables such as ``{"type": "rotation", "degrees": 10}``, or what
            :meth:`config` returns.

        Raises
        ------
        OptionError
            If a name or a value is unknown; the nearest name is given.

        Examples
        --------
        >>> Augment.from_config([{"type": "rotation", "degrees": 10}])
        Augment([Rotation(degrees=10.0)])
        """
        if isinstance(config, str):
            return augment_preset(config)
        tables: Any = config
        if isinstance(config, Mapping):
            for key in config:
                if key != "transforms":
                    raise OptionError(f"Augment: {unknown_name('key', key, ['transforms'])}")
            tables = config.get("transforms")
        if not isinstance(tables, list | tuple):
            raise OptionError(
                "Augment: expected a preset's name or a list of tables such as {'type': 'rotation'}, "
                f"got {config!r}."
            )
        return cls(tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Augment) and self.transforms == other.transforms

    def __hash__(self) -> int:
        return hash(self.transforms)

    def __repr__(self) -> str:
        return f"Augment({list(self.transforms)!r})"


def augment_preset(name: str) -> Augment:
    """Return an Augment by name.

    Parameters
    ----------
    name : {"photo", "photo-cutmix", "photo-strong"}
        ``"photo"`` is mild: mirror images, shifts by whole pixels, a little brightness, contrast and saturation.
        ``"photo-cutmix"`` then pastes a piece of another photo into each: for few photos, which a network would
        otherwise memorize; train for twice as many epochs.
        ``"photo-strong"`` also rotates and scales, which blurs: a network then sees smoother pictures in training
        than in prediction, and on small ones that costs more than it gains.

    Raises
    ------
    OptionError
        If there is no such preset; the nearest name is given.

    Examples
    --------
    >>> [transform._registered_as for transform in augment_preset("photo").transforms][:3]
    ['horizontal_flip', 'crop', 'brightness']
    """
    if name not in AUGMENT_PRESETS:
        raise OptionError(unknown_name("augmentation", name, AUGMENT_PRESETS))
    return Augment(AUGMENT_PRESETS[name])
