"""Copies: samples that are there twice, exactly or, of pictures, resized, brightened, mirrored, cropped."""
