"""The HTTP server of ``pellucid serve``: trained models, asked by other programs.

Needs the extra ``serve``: ``pip install 'pellucid[serve]'``. What a request goes through, in this order:
``protocol`` (sockets), ``logs``, ``access`` (who may ask), ``app`` (the paths), ``body`` (its bytes, the files of a
form), ``read_request`` (what they hold), ``service`` (predicted together), ``models``.
"""
