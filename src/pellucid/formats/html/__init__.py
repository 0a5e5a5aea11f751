"""Models as one HTML page that predicts in the browser, without a network connection."""
