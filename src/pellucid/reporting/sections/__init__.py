"""The sections of a report, one file per subject: each takes its findings and returns a ``Section``.

No section loads data, predicts or searches: ``reporting.findings`` has done so.
"""
