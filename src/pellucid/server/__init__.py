"""The HTTP server of ``pellucid serve``: trained models, asked by other programs.

Needs the extra ``serve``: ``pip install 'pellucid[serve]'``. What a request goes through, in this order:
``protocol`` (sockets), ``guard`` (who may ask, and the log), ``app`` (the paths), ``body`` (its bytes), ``samples``
(what they hold), ``batches`` (predicted together), ``models``.
"""
