"""The fast twins of ops, under the same module and function names; imported by :mod:`pellucid.dispatch` alone.

A fast twin takes what its plain twin takes, perhaps scratch memory too, and returns the same to within rounding.
"""
