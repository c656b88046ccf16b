"""
Lets the official trainer train for `ltxc parity`: in float32, on the samples that ltxc trained on, with every loss written down.
Nothing of the official packages changes but for this process. LTXC_PARITY names a file of JSON:

module   the compiled strategy
samples  how many samples there are
order    places of samples in the sorted data, in the order of training, over all processes
record   where process N writes losses: RECORD.N, a line of JSON for each micro-batch
"""
import json
import os
import runpy
import sys

import torch
from torch.utils.data import DataLoader


def main():
    with open(os.environ["LTXC_PARITY"], encoding="utf-8") as file:
        given = json.load(file)
    from ltx_trainer import trainer

    # Of a version that lacks these, the compiled module says so itself.
    if hasattr(trainer.LtxvTrainer, "_collect_trainable_params"):
        calculate_in_float32(trainer.LtxvTrainer)
    if hasattr(trainer.LtxvTrainer, "_training_step"):
        write_down(trainer.LtxvTrainer, f"{given['record']}.{os.environ.get('RANK', '0')}")
    trainer.DataLoader = loader_in_order(given["order"], given["samples"])
    sys.argv[0] = given["module"]
    runpy.run_path(given["module"], run_name="__main__")


def calculate_in_float32(trainer_class):
    """The official trainer keeps the weights of a LoRA's model in bfloat16, and its connectors."""
    collect = trainer_class._collect_trainable_params

    def _collect_trainable_params(self):
        for model in models_of(self):
            model.float()
        return collect(self)

    trainer_class._collect_trainable_params = _collect_trainable_params


def models_of(trainer):
    """Every model that the trainer holds, itself or by way of an object that it holds."""
    for held in list(vars(trainer).values()):
        inner = [] if isinstance(held, (type, torch.nn.Module)) else getattr(held, "__dict__", {}).values()
        yield from (value for value in [held, *inner] if isinstance(value, torch.nn.Module))


def write_down(trainer_class, path):
    """Keeps what each micro-batch was: where in the run, its samples, and its loss, by terms."""
    train = trainer_class._training_step

    def _training_step(self, batch):
        texts = batch["conditions"]
        texts.update({key: value.float() for key, value in texts.items() if is_float(value)})
        loss = train(self, batch)
        strategy = self._training_strategy
        terms = {name: term.mean().item() for name, term in strategy.terms.items()}
        place = {"step": strategy.place.step + 1, "part": strategy.place.micro_batch}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({**place, "samples": batch["idx"].tolist(), "terms": terms}) + "\n")
        return loss

    trainer_class._training_step = _training_step


def is_float(value) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def loader_in_order(order, samples):
    """A data loader that gives samples in this order, which goes through the whole run."""

    class LoaderInOrder(DataLoader):
        def __init__(self, dataset, *rest, **options):
            if len(dataset) != samples:
                sys.exit(f"the official trainer finds {len(dataset)} samples in the data, and ltxc {samples}")
            others = {key: value for key, value in options.items() if key not in ("shuffle", "sampler", "generator")}
            super().__init__(dataset, *rest, sampler=order, **others)

    return LoaderInOrder


if __name__ == "__main__":
    main()
