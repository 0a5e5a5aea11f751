"""What turns bytes into numbers."""

from pellucid.dispatch import twins
from pellucid.ops import pixels

scale_pixels = twins(pixels.scale_pixels, kernel="pixels")
