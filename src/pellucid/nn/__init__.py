"""Layers and models: thin shells over :mod:`pellucid.ops` that keep their parameters in one flat array."""
