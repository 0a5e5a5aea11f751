"""Neural networks from scratch on NumPy: clear all the way through."""

__version__ = "0.1.0"
