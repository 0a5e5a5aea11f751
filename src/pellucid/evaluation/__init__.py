"""What a trained model is worth, in numbers, pictures and a report."""
