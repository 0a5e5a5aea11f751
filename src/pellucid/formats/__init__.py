"""Files of networks: model files (safetensors), architectures in TOML, ONNX, and files that run alone.

Reading checks everything and names the file, and in TOML the line.
"""
