"""A stand-in for safetensors where it is not installed: `safetensors.torch` with `save_file` and `load_file`."""
