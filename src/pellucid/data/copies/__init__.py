"""Copies: samples that are there twice, exactly or, of pictures, resized, saved again or brightened."""
