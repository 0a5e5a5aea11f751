"""Readers of data: HDF5, .npz, folders of photos, tables; each returns arrays that validate checks.

Every problem with a file is a DataError that says where, what was expected and got, and what to try.
DataSource chooses the reader; checks and estimators use the readers of folders, images and tables.
"""
