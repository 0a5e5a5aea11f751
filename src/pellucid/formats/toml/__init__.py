"""Reading and writing architectures in TOML.

``source`` and ``lines`` know the line of every key, ``layers`` and ``training`` turn tables into objects, and
``writing`` is the inverse.
"""
