"""Which training samples pushed a verdict: traced over a training, and proved by training without them."""
