"""Pure functions: arrays in, arrays out; each forward beside its backward."""
