"""Loads a compiled strategy from its file, over the stand-ins for the official packages."""
import importlib.util
import itertools

import packages

packages.use()

counter = itertools.count()


def load(path):
    """The module, its config class and its strategy class."""
    spec = importlib.util.spec_from_file_location(f"compiled_{next(counter)}", path)
    module = importlib.util.module_from_spec(spec)
    # Data classes look for the module of their class there.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module, own_class(module, module.TrainingStrategyConfigBase), own_class(module, module.TrainingStrategy)


def own_class(module, base):
    (found,) = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, base) and kind is not base]
    return found


def sampler_of(entry):
    """The trainer's sampler, as the section flow_matching of a run config asks for it."""
    from ltx_trainer.timestep_samplers import SAMPLERS

    params = {key: value for key, value in entry.items() if key not in ("type", "mode")}
    return SAMPLERS[entry.get("type", entry.get("mode"))](**params)
