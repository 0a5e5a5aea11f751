"""What the columns of a table matter to a model: shuffled, moved, and for one row, added up."""
