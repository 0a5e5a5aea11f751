"""Models as ONNX files, which other libraries and languages run.

Needs the extra ``onnx``: ``pip install 'pellucid[onnx]'``.
"""
