"""What may be wrong with data: copies and leaks, unreadable files, classes, missing values.

``check_data`` returns a DataReport; evaluation, report and cli import it, and the search for leaks alone.
"""
