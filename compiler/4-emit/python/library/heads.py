"""Outputs of the strategy's own: streams of the model after a block, and heads on them."""
import json
import logging
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn


def heads_trainer(base):
    """The official trainer, which also fills the taps, and trains, saves and loads the heads."""

    class HeadsTrainer(base):
        def _collect_trainable_params(self):
            super()._collect_trainable_params()
            if os.environ.get("ACCELERATE_DYNAMO_BACKEND", "no").lower() != "no":
                raise Refusal("the strategy has `outputs`, which need a model without torch.compile: switch it off")
            is_lora = self._config.model.training_mode == "lora"
            model = self._transformer.get_base_model() if is_lora else self._transformer
            self.watch = Watch()
            tap_blocks(self._training_strategy, model.transformer_blocks, self.watch)
            make_heads(self._training_strategy, model.transformer_blocks, self._config.seed, self._accelerator.device)
            parameters = list(head_parameters(self._training_strategy).values())
            self._trainable_params += parameters
            average_gradients(self._accelerator, parameters)

        def _training_step(self, batch):
            self.watch.is_on = True
            loss = super()._training_step(batch)
            self.watch.is_on = False
            self._training_strategy.taps.clear()
            return loss

        @contextmanager
        def aside(self):
            self.watch.is_on = False
            try:
                yield
            finally:
                self.watch.is_on = True

        def _save_checkpoint(self):
            saved = super()._save_checkpoint()
            if self._accelerator.is_main_process:
                folder = Path(self._config.output_dir) / "checkpoints"
                save_heads(self._training_strategy, folder, self._global_step, self._config.checkpoints.precision)
            return saved

        def _load_checkpoint(self):
            super()._load_checkpoint()
            if self._config.model.load_checkpoint is not None:
                load_heads(self._training_strategy, Path(self._config.model.load_checkpoint))

    return HeadsTrainer


@dataclass
class Watch:
    """Whether the hooks keep what they see: not in the backward pass, which calculates blocks again."""

    is_on: bool = False


def tap_blocks(strategy, blocks, watch: Watch):
    """Puts hooks on blocks of the model, which return the streams of video and audio, [B, T, D] each."""
    for name, (modality, place) in strategy.TAPS.items():
        if not -len(blocks) <= place < len(blocks):
            last = f"but the model's blocks are 0 to {len(blocks) - 1}"
            raise Refusal(f"the output `{name}` taps block {place}, {last}")

        def keep(_block, _inputs, streams, name=name, stream=0 if modality == "video" else 1):
            if watch.is_on and name not in strategy.taps and streams[stream] is not None:
                strategy.taps[name] = streams[stream].x

        blocks[place].register_forward_hook(keep)


def make_heads(strategy, blocks, seed: int, device):
    """
    A float32 layer for each head, weight and bias uniform in +-1/sqrt(inputs). They stay outside of the model: DDP and
    FSDP would take their parameters for unused ones, and PEFT would freeze them.
    """
    tables = {"video": "scale_shift_table", "audio": "audio_scale_shift_table"}
    taps = strategy.TAPS.items()
    widths = {name: getattr(blocks[place], tables[modality]).shape[-1] for name, (modality, place) in taps}
    strategy.heads = {}
    for name, (source, features) in strategy.HEADS.items():
        layer = nn.Linear(widths[source], features)
        for key, parameter in layer.named_parameters():
            uniform = uniform_numbers(Place(seed, 0, 0, 0), f"outputs.{name}.{key}", parameter.numel())
            start = (2 * uniform.double() - 1) * (1 / widths[source] ** 0.5)
            parameter.data = start.float().reshape(parameter.shape)
        widths[name], strategy.heads[name] = features, layer.to(device)


def head_parameters(strategy) -> dict:
    """The heads' parameters by the names that they have in files."""
    layers = strategy.heads.items()
    return {f"outputs.{name}.{key}": value for name, layer in layers for key, value in layer.named_parameters()}


def average_gradients(accelerator, parameters: list):
    """What DDP does for the model's parameters: before each step, every process gets the mean of all gradients."""
    backward = accelerator.backward

    def backward_and_average(loss, **options):
        backward(loss, **options)
        if accelerator.sync_gradients and accelerator.num_processes > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = accelerator.reduce(parameter.grad, "mean")

    accelerator.backward = backward_and_average


def save_heads(strategy, folder: Path, step: int, precision: str):
    """Writes `heads_NNNNN.safetensors` next to the weights of this step, and removes those whose weights are gone."""
    from safetensors.torch import save_file

    parameters = head_parameters(strategy)
    if not parameters:
        return
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    tensors = {name: parameter.detach().to("cpu", dtype).contiguous() for name, parameter in parameters.items()}
    outputs = {"taps": json.dumps(strategy.TAPS), "heads": json.dumps(strategy.HEADS)}
    metadata = {"strategy": strategy.config.name, **outputs}
    save_file(tensors, str(folder / f"heads_{step:05d}.safetensors"), metadata=metadata)
    kept = {path.stem[-5:] for path in folder.glob("*step_*.safetensors")}
    for path in folder.glob("heads_*.safetensors"):
        if path.stem[-5:] not in kept:
            path.unlink()


def load_heads(strategy, path: Path):
    """Takes over the heads next to the weights that a run goes on from; missing ones start anew, with a warning."""
    from safetensors.torch import load_file

    if path.is_dir():
        path = max(path.rglob("*step_*.safetensors"), key=step_of, default=path)
    heads = path.parent / f"heads_{step_of(path):05d}.safetensors"
    stored = load_file(str(heads)) if heads.exists() else {}
    for name, parameter in head_parameters(strategy).items():
        if name in stored and stored[name].shape == parameter.shape:
            parameter.data = stored[name].to(parameter.device, parameter.dtype)
        else:
            logging.getLogger("ltx_trainer").warning("%s has no %s of this shape: it starts anew", heads, name)


def step_of(path: Path) -> int:
    """The step in the name of a weights file; -1 if there is none."""
    found = re.search(r"step_(\d+)", path.name)
    return int(found.group(1)) if found else -1
