"""Checks of data before training: copies and leaks, unreadable files, class balance, missing values.

``check_data`` returns a DataReport; the search for leaks is also offered alone.
"""
