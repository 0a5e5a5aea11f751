"""What changes photos before a training step."""

from pellucid.dispatch import twins
from pellucid.ops import colour, sampling
from pellucid.ops import paste as pasting

paste = twins(pasting.paste, kernel="paste")
mean_colours = twins(colour.mean_colours, kernel="colour")
recolour = twins(colour.recolour, kernel="colour")
sample = twins(sampling.sample, kernel="sampling")
