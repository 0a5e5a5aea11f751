"""The command line: use cases as plain functions, and the thin edge that calls them."""
