"""The fixed Python text of compiled strategies, for tests: all of it in one namespace, as it is in a compiled module."""
import pathlib

FOLDER = pathlib.Path(__file__).parents[2] / "compiler/4-emit/python/library"


def load(*names):
    """The top-level names of the library's files, or of some of them."""
    files = [FOLDER / f"{name}.py" for name in names] or sorted(FOLDER.glob("*.py"))
    namespace = {"__name__": "library"}
    for file in files:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), namespace)
    return namespace
