"""Figures with matplotlib: the shared style, the one page of captioned pictures, data, training, network.

Functions take plain arrays and return a ``Figure``; nothing is shown or saved but by saving.py.
"""
