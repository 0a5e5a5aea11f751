"""The table of perturbations: what each one does in words, its usual strengths, and how a strength is called."""

from pellucid.evaluation.robustness import colour, corruptions, geometric
from pellucid.evaluation.robustness.kinds import Perturbation


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
            title="Turned",
            reason="position",
            words=f"The photo is turned about its centre, by chance to the left or right. {_AROUND}",
            unit="degrees",
            strengths=(5, 10, 20, 30, 60, 90),
            moderate=20,
            most=360,
            change=geometric.rotate,
            label=_degrees,
            say=lambda s: f"turning the photo by {_degrees(s)}",
        ),
        Perturbation(
            name="mirror",
            title="Mirrored",
            reason="position",
            words="Left and right are swapped.",
            unit="0 no, 1 yes",
            strengths=(1,),
            moderate=1,
            most=1,
            change=geometric.mirror,
            label=lambda s: "mirrored" if s else "as it is",
            say=lambda s: "swapping left and right",
        ),
        Perturbation(
            name="upside-down",
            title="Upside down",
            reason="position",
            words="Top and bottom are swapped.",
            unit="0 no, 1 yes",
            strengths=(1,),
            moderate=1,
            most=1,
            change=geometric.flip,
            label=lambda s: "flipped" if s else "as it is",
            say=lambda s: "swapping top and bottom",
        ),
        Perturbation(
            name="background",
            title="Background blended",
            reason="background",
            words=(
                "Nobody has marked where the subject is, so an ellipse about the middle stands in for it: all that "
                "lies outside is led so far towards the mean colour inside, with a soft edge between. At 100 % the "
                "corners are of that one colour."
            ),
            unit="share of the way",
            strengths=(0.15, 0.3, 0.5, 0.7, 0.85, 1),
            moderate=0.5,
            most=1,
            change=colour.blend_background,
            label=_percent,
            say=lambda s: f"leading the background {_percent(s)} of the way to the subject's colour",
        ),
        Perturbation(
            name="hue",
            title="Other colours",
            reason="colour",
            words=(
                "All colours are turned about the axis of greys, by chance one way or the other; brightness stays. "
                "120 degrees lead red to green or blue."
            ),
            unit="degrees",
            strengths=(15, 30, 60, 90, 120, 180),
            moderate=30,
            most=360,
            change=colour.turn_hue,
            label=_degrees,
            say=lambda s: f"turning all colours by {_degrees(s)}",
            needs_colour=True,
        ),
        Perturbation(
            name="perspective",
            title="Seen from aside",
            reason="camera",
            words=(
                "The photo is seen as a print on a wall is from so many degrees aside, by chance from any side. A "
                f"camera that really moved would see other parts of the subject, too. {_AROUND}"
            ),
            unit="degrees",
            strengths=(10, 20, 30, 40, 50, 60),
            moderate=30,
            most=60,
            change=geometric.look_from_aside,
            label=_degrees,
            say=lambda s: f"looking from {_degrees(s)} aside",
        ),
        Perturbation(
            name="darker",
            title="Darker",
            reason="brightness",
            words="Every value loses so much of itself.",
            unit="share of the light",
            strengths=(0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
            moderate=0.3,
            most=1,
            change=colour.darken,
            label=lambda s: f"−{_percent(s)}" if s else "0",
            say=lambda s: f"taking away {_percent(s)} of the light",
        ),
        Perturbation(
            name="brighter",
            title="Brighter",
            reason="brightness",
            words="Every value gains so much of itself; what passes white stays white.",
            unit="share of the light",
            strengths=(0.1, 0.2, 0.4, 0.7, 1, 2),
            moderate=0.4,
            most=10,
            change=colour.brighten,
            label=lambda s: f"+{_percent(s)}" if s else "0",
            say=lambda s: f"adding {_percent(s)} of light",
        ),
        Perturbation(
            name="contrast",
            title="Less contrast",
            reason="brightness",
            words="Every value is led so far towards the photo's mean brightness, as fog does.",
            unit="share of the contrast",
            strengths=(0.1, 0.25, 0.5, 0.7, 0.85, 0.95),
            moderate=0.5,
            most=1,
            change=colour.flatten,
            label=lambda s: f"−{_percent(s)}" if s else "0",
            say=lambda s: f"taking away {_percent(s)} of the contrast",
        ),
        Perturbation(
            name="larger",
            title="Larger",
            reason="scale",
            words="Everything is shown larger about the centre, and the border is lost. 1 is twice as large.",
            unit="how much larger",
            strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
            moderate=0.25,
            most=20,
            change=geometric.enlarge,
            label=lambda s: f"× {1 + s:.3g}",
            say=lambda s: f"showing everything {1 + s:.3g} times as large",
        ),
        Perturbation(
            name="smaller",
            title="Smaller",
            reason="scale",
            words=(
                f"Everything is shown smaller about the centre, smoothed first as a lens would. {_AROUND} "
                "1 is half as large."
            ),
            unit="how much smaller",
            strengths=(0.1, 0.25, 0.5, 1, 1.5, 2),
            moderate=0.25,
            most=20,
            change=geometric.shrink,
            label=lambda s: f"× {1 / (1 + s):.2g}",
            say=lambda s: f"showing everything {1 / (1 + s):.2g} times as large",
        ),
        Perturbation(
            name="shift",
            title="Moved",
            reason="scale",
            words=f"The photo is moved, by chance up, down, left or right. {_AROUND}",
            unit="share of the side",
            strengths=(0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
            moderate=0.1,
            most=1,
            change=geometric.shift,
            label=_percent,
            say=lambda s: f"moving the photo by {_percent(s)} of its side",
        ),
        Perturbation(
            name="noise",
            title="Noise",
            reason="beyond",
            words="Gaussian noise of that standard deviation is added to every value; 100 %: from black to white.",
            unit="standard deviation, 1 from black to white",
            strengths=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
            moderate=0.05,
            most=1,
            change=corruptions.add_noise,
            label=_percent,
            say=lambda s: f"adding noise of {_percent(s)}",
        ),
        Perturbation(
            name="blur",
            title="Blur",
            reason="beyond",
            words="The photo is smoothed by a Gaussian of that standard deviation, in pixels as the network sees.",
            unit="pixels",
            strengths=(0.5, 1, 1.5, 2, 3, 4),
            moderate=1,
            most=100,
            change=corruptions.blur,
            label=lambda s: f"{s:g} px" if s else "0",
            say=lambda s: f"blurring by {s:g} pixel" + ("" if s == 1 else "s"),
        ),
        Perturbation(
            name="jpeg",
            title="JPEG",
            reason="beyond",
            words="The photo, as small as the network sees it, is saved as JPEG of that quality and read again.",
            unit="100 minus the quality",
            strengths=(20, 50, 70, 80, 90, 95),
            moderate=70,
            most=99,
            change=corruptions.encode_jpeg,
            label=lambda s: f"q {100 - s:g}" if s else "as it is",
            say=lambda s: f"saving as JPEG of quality {100 - s:g}",
        ),
        Perturbation(
            name="occlusion",
            title="Partly covered",
            reason="beyond",
            words="A grey square with so much of the shorter side covers a part of the photo, by chance anywhere.",
            unit="share of the side",
            strengths=(0.1, 0.2, 0.3, 0.4, 0.5, 0.7),
            moderate=0.3,
            most=1,
            change=corruptions.cover,
            label=_percent,
            say=lambda s: f"covering a square of {_percent(s)} of the side",
        ),
    )
}
