"""The replay of a training step or a prediction: every number of it, as one page to walk through."""
