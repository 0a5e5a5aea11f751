"""The perturbations: the description of each, its usual strengths, and the labels of strengths."""

from pellucid.evaluation.robustness import colour, corruptions, geometric
from pellucid.evaluation.robustness.perturbation import Perturbation


def _degrees(strength: float) -> str:
    return f"{strength:g}°"


def _percent(strength: float) -> str:
    return f"{100 * strength:g} %"


_AROUND = "What comes in from outside repeats the border's pixels."

PERTURBATIONS = {
    perturbation.name: perturbation
    for perturbation in (
        Perturbation(
            name="rotation",
            title="Rotation",
            reason="position",
            description=f"The photo is rotated about its centre, at random to the left or right. {_AROUND}",
            unit="degrees",
            strengths=(5, 10, 20, 30, 60, 90),
            moderate=20,
            largest=360,
            change=geometric.rotate,
            label=_degrees,
        ),
        Perturbation(
            name="mirror",
            title="Horizontal flip",
            reason="position",
            description="Left and right are swapped.",
            unit="0 no, 1 yes",
            strengths=(1,),
            moderate=1,
            largest=1,
            change=geometric.mirror,
            label=lambda s: "flipped" if s else "as it is",
        ),
        Perturbation(
            name="upside-down",
            title="Vertical flip",
            reason="position",
            description="Top and bottom are swapped.",
            unit="0 no, 1 yes",
            strengths=(1,),
            moderate=1,
            largest=1,
            change=geometric.flip,
            label=lambda s: "flipped" if s else "as it is",
        ),
        Perturbation(
            name="background",
            title="Blended background",
            reason="background",
            description=(
                "The subject's position is unknown, so an ellipse about the middle stands in for it: all that "
                "lies outside is blended with the mean colour inside, with a soft edge between. At 100 % the "
                "corners are of that one colour."
            ),
            unit="fraction of the way",
            strengths=(0.15, 0.3, 0.5, 0.7, 0.85, 1),
            moderate=0.5,
            largest=1,
            change=colour.blend_background,
            label=_percent,
        ),
        Perturbation(
            name="hue",
            title="Hue",
            reason="colour",
            description=(
                "All colours are rotated about the axis of greys, at random one way or the other; brightness "
                "stays. "
                "120 degrees turn red into green or blue."
            ),
            unit="degrees",
            strengths=(15, 30, 60, 90, 120, 180),
            moderate=30,
            largest=360,
            change=colour.turn_hue,
            label=_degrees,
            needs_colour=True,
        ),
        Perturbation(
            name="perspective",
            title="Perspective",
            reason="camera",
            description=(
                "The photo is seen like a print on a wall from an angle, at random from any side. A "
                f"camera that really moved would see other parts of the subject, too. {_AROUND}"
            ),
            unit="degrees",
            strengths=(10, 20, 30, 40, 50, 60),
            moderate=30,
            largest=60,
            change=geometric.view_at_angle,
            label=_degrees,
        ),
        Perturbation(
            name="darker",
            title="Darker",
            reason="brightness",
            description="Every value is reduced by this fraction.",
            unit="fraction of the light",
            strengths=(0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
            moderate=0.3,
            largest=1,
            change=colour.darken,
            label=lambda s: f"−{_percent(s)}" if s else "0",
        ),
        Perturbation(
            name="brighter",
            title="Brighter",
            reason="brightness",
            description="Every value is increased by this fraction; what passes white stays white.",
            unit="fraction of the light",
            strengths=(0.1, 0.2, 0.4, 0.7, 1, 2),
            moderate=0.4,
            largest=10,
            change=colour.brighten,
            label=lambda s: f"+{_percent(s)}" if s else "0",
        ),
        Perturbation(
            name="contrast",
            title="Contrast",
            reason="brightness",
            description="Every value is moved towards the photo's mean brightness, as in fog.",
            unit="fraction of the contrast",
            strengths=(0.1, 0.25, 0.5, 0.7, 0.85, 0.95),
            moderate=0.5,
            largest=1,
            change=colour.flatten,
            label=lambda s: f"−{_percent(s)}" if s else "0",
        ),
        Perturbation(
            name="larger",
            title="Zoom in",
            reason="scale",
            description="The photo is enlarged about its centre, and the border is lost. 1 is twice as large.",
            unit="enlargement minus 1",
            strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
            moderate=0.25,
            largest=20,
            change=geometric.enlarge,
            label=lambda s: f"× {1 + s:.3g}",
        ),
        Perturbation(
            name="smaller",
            title="Zoom out",
            reason="scale",
            description=(
                f"The photo is reduced about its centre, smoothed first as a lens would. {_AROUND} "
                "1 is half as large."
            ),
            unit="reduction minus 1",
            strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
            moderate=0.25,
            largest=20,
            change=geometric.shrink,
            label=lambda s: f"× {1 / (1 + s):.2g}",
        ),
        Perturbation(
            name="shift",
            title="Shift",
            reason="scale",
            description=f"The photo is shifted, at random up, down, left or right. {_AROUND}",
            unit="fraction of the side",
            strengths=(0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
            moderate=0.1,
            largest=1,
            change=geometric.shift,
            label=_percent,
        ),
        Perturbation(
            name="noise",
            title="Noise",
            reason="beyond",
            description="Gaussian noise of this standard deviation is added to every value; 100 %: black to white.",
            unit="standard deviation, 1 from black to white",
            strengths=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
            moderate=0.05,
            largest=1,
            change=corruptions.add_noise,
            label=_percent,
        ),
        Perturbation(
            name="blur",
            title="Blur",
            reason="beyond",
            description="The photo is smoothed by a Gaussian of this standard deviation in pixels of the input.",
            unit="pixels",
            strengths=(0.5, 1, 1.5, 2, 3, 4),
            moderate=1,
            largest=100,
            change=corruptions.blur,
            label=lambda s: f"{s:g} px" if s else "0",
        ),
        Perturbation(
            name="jpeg",
            title="JPEG",
            reason="beyond",
            description="The photo, in the size of the input, is saved as JPEG of this quality and read again.",
            unit="100 minus the quality",
            strengths=(20, 50, 70, 80, 90, 95),
            moderate=70,
            largest=99,
            change=corruptions.encode_jpeg,
            label=lambda s: f"q {100 - s:g}" if s else "as it is",
        ),
        Perturbation(
            name="occlusion",
            title="Occlusion",
            reason="beyond",
            description="A grey square, its side this fraction of the shorter one, covers the photo at random.",
            unit="fraction of the side",
            strengths=(0.1, 0.2, 0.3, 0.4, 0.5, 0.7),
            moderate=0.3,
            largest=1,
            change=corruptions.cover,
            label=_percent,
        ),
    )
}
