"""Trainings, predictions and many trainings side by side on a Dask cluster.

Needs the extra ``dask``: ``pip install 'pellucid[dask]'``.
"""
