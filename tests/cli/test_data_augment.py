"""The contact sheet of augmentations as a command."""

import numpy as np
from PIL import Image
from tests.commands import Command


def test_all_transforms_or_those_of_a_training(pellucid: Command) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)).save("cat.png")
    heights = []
    for name in ("none", "photo", "photo-cutmix", ""):
        asked = f"data augment cat.png -o a{name}.png" + f" --augment {name}" * bool(name)
        assert pellucid.ok(asked).out == f"a{name}.png\n"
        with Image.open(f"a{name}.png") as sheet:
            heights.append(sheet.height)
    assert heights == sorted(set(heights))  # one row more for each transform
    assert pellucid.json("data augment cat.png")["figure"] == "augmented.png"
    pellucid.ok("data augment cat.png --augment none --overwrite")
