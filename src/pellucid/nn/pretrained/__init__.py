"""Networks that begin with what others learned from a million photos.

``pretrained`` (pretrained.py) builds one; efficientnet_lite.py has its layers, torch_file.py reads its weights.
"""
