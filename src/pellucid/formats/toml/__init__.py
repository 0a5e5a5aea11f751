"""Reading and writing architectures in TOML.

``source`` and ``lines`` know where every key stands, ``layers`` and ``training`` make objects of tables, and
``writing`` is the way back. Imported by formats/architecture.py.
"""
