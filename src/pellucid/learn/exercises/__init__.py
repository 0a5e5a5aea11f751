"""The exercises, one file each: see :mod:`pellucid.learn.exercise`."""
