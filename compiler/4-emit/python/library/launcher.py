"""Launcher."""
import _thread
import dataclasses
import importlib.metadata
import inspect
import json
import math
import os
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import torch
import yaml
from torch import Tensor

TRAINER = "1.2"  # the version of ltx-trainer and ltx-core that this file was made for


class Refusal(Exception):
    """Why a run does not start, or cannot go on; the message is all that its user needs."""


def main(config_class, strategy_class, *extensions):
    """Trains with the run config that the command line names; `extensions` make more of the trainer's class."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--disable-progress-bars"]
    trainer = None
    end_with_ltxc()
    try:
        if len(arguments) != 1 or arguments[0].startswith("-"):
            raise Refusal(f"usage: accelerate launch {sys.argv[0]} CONFIG [--disable-progress-bars]")
        trainer = make_ready(Path(arguments[0]), config_class, strategy_class, extensions)
        trainer.train(disable_progress_bars="--disable-progress-bars" in sys.argv)
    except Refusal as refusal:
        # Before training, every process finds the same; in training, perhaps a single one.
        if trainer is not None or is_first_process():
            print(refusal, file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def end_with_ltxc():
    """A run that `ltxc run` has started ends with it, however that one ends: it holds the other end of stdin."""
    if os.environ.get("LTXC_HOLDS_STDIN"):
        threading.Thread(target=end_at_end_of_stdin, daemon=True).start()


def end_at_end_of_stdin():
    while os.read(0, 1):
        pass
    print("`ltxc run`, which started this run, is gone: this one ends, too", file=sys.stderr, flush=True)
    _thread.interrupt_main()
    time.sleep(30)  # seconds for a step to end; a process that waits for others does not hear of it
    os._exit(1)


def is_first_process() -> bool:
    return os.environ.get("RANK", "0") == "0"


def say(message: str):
    """Prints a line once, not on every process."""
    if is_first_process():
        print(message, flush=True)


def make_ready(path: Path, config_class, strategy_class, extensions):
    """The trainer of a run config, with this strategy in place of the official ones."""
    from ltx_trainer import config as official_config
    from ltx_trainer import trainer as official_trainer

    check_interface(official_config, official_trainer)
    trainer_class = step_trainer(official_trainer.LtxvTrainer)
    for extend in extensions:
        trainer_class = extend(trainer_class)

    class RunConfig(official_config.LtxTrainerConfig):
        training_strategy: config_class

    values = read_config(path)
    # Relative paths start at the config's folder; `ltxc run` writes configs elsewhere.
    os.chdir(os.environ.get("LTXC_FOLDER") or path.resolve().parent)
    try:
        run_config = RunConfig(**values)
    except ValueError as error:
        raise Refusal(f"{path}: {error}") from None
    trainer_class.check(run_config, strategy_class)
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        say("FSDP rounds positions and noise levels to bfloat16, for official strategies as well: pixel 1055 is 1056.")
    official_trainer.get_training_strategy = strategy_class
    trainer = trainer_class(run_config)
    trainer.validated = factors_in(values)
    return trainer


def read_config(path: Path) -> dict:
    """The run config without what only ltxc reads."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise Refusal(f"{path} is not a run config: a mapping with `model`, `data` and `training_strategy` is expected")
    dropped = [key for key in ("evaluation", "runtime") if values.pop(key, None) is not None]
    validation = values.get("validation")
    if isinstance(validation, dict):
        samples = [sample for sample in validation.get("samples") or [] if isinstance(sample, dict)]
        removed = [entry.pop("conditions_file", None) for entry in samples]
        removed.append(validation.pop("negative_conditions_file", None))
        dropped += ["files of conditions for validation"] if any(removed) else []
    if dropped:
        say(f"{path}: {' and '.join(dropped)} left out, which the official trainer does not know.")
    return values


def factors_in(values: dict) -> set:
    """How many times larger, and finer in time, than its references validation is told that a video is."""
    samples = (values.get("validation") or {}).get("samples") or []
    conditions = [condition for sample in samples for condition in sample.get("conditions") or []]
    references = [condition for condition in conditions if condition.get("type") == "reference"]
    return {(int(each.get("downscale_factor", 1)), int(each.get("temporal_scale_factor", 1))) for each in references}


def warn_of_factors(validated: set, metadata: dict):
    """Validation takes the factors of references from the run config, training from the data."""
    names = ("reference_downscale_factor", "reference_temporal_scale_factor")
    trained = tuple(int(metadata.get(name, 1)) for name in names)
    for other in sorted(validated - {trained}):
        say(
            f"validation has a reference with downscale_factor {other[0]} and temporal_scale_factor {other[1]}; "
            f"in the data they are {trained[0]} and {trained[1]}, so samples will not show what is trained."
        )


def look_at_first_batch(strategy, look):
    """Calls `look` when the first batch has been prepared, before the model is called."""
    prepare = strategy.prepare_training_inputs

    def prepare_first(batch, timestep_sampler):
        strategy.prepare_training_inputs = prepare
        inputs = prepare(batch, timestep_sampler)
        look()
        return inputs

    strategy.prepare_training_inputs = prepare_first


METHODS = {
    "prepare_training_inputs": ["self", "batch", "timestep_sampler"],
    "compute_loss": ["self", "video_pred", "audio_pred", "inputs"],
    "get_checkpoint_metadata": ["self"],
    "_training_step": ["self", "batch"],
    "_log_metrics": ["self", "metrics"],
    "_collect_trainable_params": ["self"],
    "_save_checkpoint": ["self"],
    "_load_checkpoint": ["self"],
}
FIELDS = {
    "ModelInputs": "video audio video_targets audio_targets video_loss_mask audio_loss_mask",
    "Modality": "latent sigma timesteps positions context enabled context_mask attention_mask keyframes_mask",
}


def check_interface(official_config, official_trainer):
    """Refuses versions of the official packages, and forms of them, that this file was not made for."""
    from ltx_core.model.transformer.modality import Modality
    from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy

    installed = [version for version in map(version_of, ("ltx-trainer", "ltx-core")) if version is not None]
    unknown = [version for version in installed if version.split(".")[:2] != TRAINER.split(".")]
    lacks = [*map(other_fields, (ModelInputs, Modality))]
    lacks += [other_method(TrainingStrategy, name) for name in METHODS if not name.startswith("_")]
    lacks += [other_method(official_trainer.LtxvTrainer, name) for name in METHODS if name.startswith("_")]
    if not hasattr(official_trainer, "get_training_strategy"):
        lacks.append("its trainer has no get_training_strategy")
    if "training_strategy" not in official_config.LtxTrainerConfig.model_fields:
        lacks.append("LtxTrainerConfig has no training_strategy")
    lack = next((f", where {lack}" for lack in lacks if lack is not None), "")
    if unknown or lack:
        found = f"{[*unknown, *installed, 'another one'][0]} is installed{lack}"
        message = f"was made for ltx-trainer {TRAINER}; {found}. Compile it again with an ltxc that knows it."
        raise Refusal(f"{Path(sys.argv[0]).name} {message}")


def version_of(package: str):
    """None for a checkout that is only on the path."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def other_fields(kind):
    """What a data class lacks, or needs that this file does not give it."""
    known, given = FIELDS[kind.__name__].split(), {field.name: field for field in dataclasses.fields(kind)}
    lacking = [f"{kind.__name__} has no {name}" for name in known if name not in given]
    needed = [name for name, field in given.items() if field.default is field.default_factory is dataclasses.MISSING]
    return next(iter([*lacking, *(f"{kind.__name__} needs {name}" for name in needed if name not in known)]), None)


def other_method(kind, name: str):
    """How a method differs from what this file calls or overrides."""
    method = getattr(kind, name, None)
    if method is None:
        return f"{kind.__name__} has no {name}"
    found = list(inspect.signature(method).parameters)
    return None if found == METHODS[name] else f"{kind.__name__}.{name} takes ({', '.join(found)})"


def check_directories(strategy_config, strategy_class):
    """Refuses directories whose name makes the trainer's data set look for latents in files that have none."""
    for name, directory in strategy_config.directories().items():
        kind = strategy_class.KINDS[name]
        if not kind.endswith("_latents") and "latent" in directory.lower():
            raise Refusal(
                f"the directory of the source `{name}` is {directory}: the official trainer expects an entry `latents` "
                "in the files of a directory with `latent` in its name. Rename it."
            )


def step_trainer(base):
    """The official trainer, but it tells the strategy where the run is, checks losses, and logs each term of them."""

    class Trainer(base):
        calls = 0
        validated = frozenset()  # factors of the references in validation
        seen = []  # losses of the micro-batches of a step

        @classmethod
        def check(cls, run_config, strategy_class):
            """Refuses what cannot be trained, before models are loaded."""
            check_directories(run_config.training_strategy, strategy_class)

        def aside(self):
            """Surrounds calls of the model that are not the step's own."""
            return nullcontext()

        def _training_step(self, batch):
            strategy, options = self._training_strategy, self._config.optimization
            accumulation, ranks = options.gradient_accumulation_steps, self._accelerator.num_processes
            if self.calls == 0:
                look_at_first_batch(strategy, lambda: warn_of_factors(self.validated, strategy.metadata))
                # A step is counted before its last micro-batch: with a single one, the first is counted already.
                self.first_step = self._global_step - (1 if accumulation == 1 else 0)
            done, micro_batch = divmod(self.calls, accumulation)
            self.calls += 1
            step, part = self.first_step + done, micro_batch * ranks + self._accelerator.process_index
            strategy.place = Place(self._config.seed, step, part, options.steps)
            loss = super()._training_step(batch)
            check_finite(strategy.terms, batch["idx"], step)
            if self._accelerator.is_main_process:
                self.report(step + 1, micro_batch == accumulation - 1)
            return loss

        def report(self, step, is_last):
            """Writes a line of JSON for each step, where the program that started this one asks for it."""
            path, terms = os.environ.get("LTXC_PROGRESS"), self._training_strategy.terms
            if not path:
                return
            self.seen = [*self.seen, {name: term.mean().item() for name, term in terms.items()}]
            if is_last:
                losses = {name: sum(seen[name] for seen in self.seen) / len(self.seen) for name in terms}
                samples = len(self.seen) * self._accelerator.num_processes * len(next(iter(terms.values())))
                now = {"rate": learning_rate_of(self), "time": time.time()}
                line = {"step": step, "losses": losses, "samples": samples, **now}
                self.seen = []
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")

        def _log_metrics(self, metrics):
            if "train/loss" in metrics:
                terms = self._training_strategy.terms
                metrics = {**metrics, **{f"train/loss_{name}": term.mean().item() for name, term in terms.items()}}
            super()._log_metrics(metrics)

    return Trainer


def check_finite(terms: dict, indices: Tensor, step: int):
    """Ends the run at a loss that is no finite number, before it reaches the weights."""
    if torch.stack(list(terms.values())).isfinite().all():
        return
    for name, term in terms.items():
        for sample, value in zip(indices.tolist(), term.tolist()):
            if not math.isfinite(value):
                raise Refusal(f"step {step + 1}: the loss `{name}` of sample {sample} of the sorted data is {value}")


def learning_rate_of(trainer):
    """Of the trainer's optimizer; None where it does not keep one."""
    groups = next((value.param_groups for value in vars(trainer).values() if hasattr(value, "param_groups")), [{}])
    return groups[0].get("lr")
