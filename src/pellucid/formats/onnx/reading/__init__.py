"""Reading ONNX files: bytes, constants, what operations compute together, layers, their structure."""
