"""Runs a compiled strategy as its user would, and writes down what came of it."""
import importlib.util
import os
import sys

import torch

import packages


def record(trainer_module, path):
    """Lets the trainer write down what it does, at the end of its training."""
    losses, places, base = [], [], trainer_module.LtxvTrainer
    step, train = base._training_step, base.train

    def recorded_step(self, batch):
        loss = step(self, batch)
        places.append(self._training_strategy.place)
        losses.append(self._last_losses.clone())
        return loss

    def recorded_train(self, **options):
        before = [parameter.detach().clone() for parameter in self._trainable_params]
        result = train(self, **options)
        after = [parameter.detach().clone() for parameter in self._trainable_params]
        places_as_tuples = [(place.seed, place.step, place.micro_batch, place.steps) for place in places]
        torch.save({"losses": losses, "before": before, "after": after, "places": places_as_tuples}, path)
        return result

    base._training_step, base.train = recorded_step, recorded_train


def main(arguments):
    """
    `arguments`: the module, where to write, then those of the module. Written is, as a torch file, what the process of each
    rank saw: losses of each micro-batch and where they were, trained parameters before and after.
    """
    packages.use()
    module_path, out = arguments[:2]
    from ltx_trainer import trainer

    record(trainer, f"{out}.{os.environ.get('RANK', '0')}")
    sys.argv = [module_path, *arguments[2:]]
    # As `python FILE` does it: the file's folder comes first on the path, and its name is __main__.
    sys.path.insert(0, os.path.dirname(module_path))
    spec = importlib.util.spec_from_file_location("__main__", module_path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["__main__"] = module
    spec.loader.exec_module(module)
