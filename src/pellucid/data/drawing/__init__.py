"""The pencils behind drawn-cats: a canvas, coats, animals, things and scenes, drawn with Pillow.

:func:`pellucid.data.drawn.draw` is the public face; it imports this package when it is first called.
"""
