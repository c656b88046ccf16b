"""A stand-in for the official package ltx-core: only what compiled strategies touch of it."""
