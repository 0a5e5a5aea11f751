"""Models as one Python file that needs NumPy and Pillow only, with the network's forward pass written out."""
