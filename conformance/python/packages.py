"""Puts the stand-ins for the official packages on the path, and those for pydantic and safetensors where these are missing."""
import importlib.util
import os
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent


def folders() -> list:
    """What to add to the path, in its order. LTXC_STANDIN names other stand-ins for the official packages."""
    own = os.environ.get("LTXC_STANDIN", str(FOLDER / "standin"))
    missing = [name for name in ("pydantic", "safetensors") if importlib.util.find_spec(name) is None]
    return [own, *(str(FOLDER / "standin_missing" / name) for name in missing)]


def use():
    sys.path[:0] = folders()
