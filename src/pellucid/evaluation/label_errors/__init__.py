"""Label errors: samples whose label a network that was not trained on them contradicts with confidence."""
