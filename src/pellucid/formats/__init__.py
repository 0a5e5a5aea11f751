"""Files of networks: model files (safetensors), and architectures in TOML.

Reading checks everything and names the file, and in TOML the line.
Imported by runs, estimators and every room above them.
"""
