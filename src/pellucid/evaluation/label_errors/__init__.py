"""Label errors: samples whose label a network that has not seen them contradicts with confidence."""
