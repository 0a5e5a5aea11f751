"""Which pixels a verdict hangs on: one method a file, and how each is checked."""
