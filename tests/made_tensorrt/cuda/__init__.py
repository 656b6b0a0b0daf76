"""A stand-in for cuda-python: see tests/made_tensorrt/tensorrt."""
