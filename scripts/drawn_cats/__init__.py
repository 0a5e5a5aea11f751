"""The program that draws drawn-cats with Pillow: a canvas, coats, animals, objects and scenes.

:func:`scripts.drawn_cats.draw.draw` draws any number of pictures; ``python -m scripts.drawn_cats`` writes the files
that ship with the package. Tests and benchmarks import it; the package does not.
"""
