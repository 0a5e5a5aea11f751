"""What an animal is made of: its kind, its coat, its head and its tail, for the poses to put together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image
from scripts.drawn_cats import faces, lookalikes
from scripts.drawn_cats.canvas import Canvas, Points, open_curve
from scripts.drawn_cats.chance import darker, happens, lighter
from scripts.drawn_cats.coats import Coat, any_coat, coat_picture
from scripts.drawn_cats.faces import PINK, Look

Ears: TypeAlias = Callable[[Canvas, Coat, Look, np.random.Generator], None]
Head: TypeAlias = Callable[[Canvas, Coat, Look], None]


@dataclass(frozen=True)
class Species:
    """One kind of animal."""

    name: str
    ears: Ears
    head: Head
    face: Ears
    tail: str  # long, bushy, puff, stub or bare
    head_size: float = 1.0  # relative to a cat's
    headroom: float = 1.4  # how far the ears reach above the head's middle, in head radii
    ears_in_front: bool = False


CAT = Species("cat", faces.cat_ears, faces.cat_head, faces.cat_face, "long")
LOOKALIKES = (
    Species(
        "hound", lookalikes.floppy_ears, lookalikes.dog_head, lookalikes.dog_face, "bushy", 1.0, 1.0, True
    ),
    Species("spitz", lookalikes.pricked_ears, lookalikes.dog_head, lookalikes.dog_face, "bushy", 0.97, 1.5),
    Species(
        "rabbit", lookalikes.rabbit_ears, lookalikes.rabbit_head, lookalikes.rabbit_face, "puff", 0.85, 2.0
    ),
    Species("bear", lookalikes.bear_ears, lookalikes.bear_head, lookalikes.bear_face, "stub", 1.0, 1.1),
    Species("mouse", lookalikes.mouse_ears, lookalikes.mouse_head, lookalikes.mouse_face, "bare", 0.95, 1.2),
)


class Animal:
    """One animal about to be drawn: the poses ask it for its parts."""

    def __init__(self, canvas: Canvas, species: Species, rng: np.random.Generator) -> None:
        self.canvas, self.species, self.rng = canvas, species, rng
        self.coat = any_coat(rng)
        self.ink = self.coat.ink
        self.turn = float(rng.uniform(-0.8, 0.8))

    def fur(self, across: float = 0.0) -> Image.Image:
        """Return the picture that the body is cut from."""
        return coat_picture(self.canvas, self.coat, self.rng, across)

    def head(self, x: float, y: float, radius: float, *, tilt: float = 0.3, is_asleep: bool = False) -> None:
        """Draw the head with its middle at (x, y), tilted by up to ``tilt`` radians either way."""
        canvas, coat, species, rng = self.canvas, self.coat, self.species, self.rng
        with canvas.placed(x, y, radius * species.head_size, float(rng.uniform(-tilt, tilt))):
            look = Look(self.turn, is_asleep, coat.kind == "tabby", self._head_fur())
            if not species.ears_in_front:
                species.ears(canvas, coat, look, rng)
            species.head(canvas, coat, look)
            if species.ears_in_front:
                species.ears(canvas, coat, look, rng)
            species.face(canvas, coat, look, rng)

    def back_of_head(self, x: float, y: float, radius: float) -> None:
        """Draw the head from behind: ears and fur, and the ends of a cat's whiskers."""
        canvas, coat, species, rng = self.canvas, self.coat, self.species, self.rng
        with canvas.placed(x, y, radius * species.head_size, float(rng.uniform(-0.2, 0.2))):
            look = Look(0.0, False, False, self._head_fur(), is_from_behind=True)
            if species is CAT:
                faces.whiskers(canvas, coat.line if happens(rng, 0.5) else (250, 250, 246), 0.0, 1.5, rng)
            species.ears(canvas, coat, look, rng)
            species.head(canvas, coat, look)
            if species.ears_in_front:
                species.ears(canvas, coat, look, rng)
            if coat.kind == "tabby":
                for n in (-1, 0, 1):
                    canvas.stroke([(n * 0.35, -0.7), (n * 0.3, 0.2)], 0.12, coat.mark)

    def _head_fur(self) -> Image.Image:
        if self.coat.kind in ("patches", "spots"):
            return self.fur()
        top, low = lighter(self.coat.base, 0.15), darker(self.coat.base, 0.05)
        return self.canvas.gradient(top, top, low, low)

    def tail(self, points: Points) -> None:
        """Draw the tail along the points; a short one stays near the first."""
        canvas, coat, kind = self.canvas, self.coat, self.species.tail
        path = open_curve(points)
        x, y = path[0]
        if kind == "puff":
            canvas.ellipse(x, y - 0.02, 0.17, 0.16, lighter(coat.base, 0.5), self.ink)
        elif kind == "stub":
            canvas.ellipse(x, y, 0.1, 0.09, coat.base, self.ink)
        elif kind == "bushy":
            reach = path[: max(4, int(len(path) * 0.55))][::3]
            canvas.limb(reach, 0.08, 0.13, coat.limb, self.ink)
        elif kind == "bare":
            canvas.limb(path[::4], 0.045, 0.02, PINK, darker(PINK, 0.45))
        else:
            canvas.limb(path[::4], 0.085, 0.07, coat.limb, self.ink)
            self._rings(path)

    def _rings(self, path: Points) -> None:
        middle = np.asarray(path)
        if self.coat.kind == "tabby":
            for n in range(4, len(middle) - 2, 4):
                self.canvas.limb(middle[n : n + 2], 0.08, 0.08, self.coat.mark)
        elif self.coat.kind == "tuxedo" and happens(self.rng, 0.6):
            self.canvas.limb(middle[-5:], 0.07, 0.07, self.coat.pale)
