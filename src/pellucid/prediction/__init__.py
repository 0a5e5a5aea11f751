"""What a model predicts for files: photos by name, folders of them, rows of tables, and files of predictions."""
