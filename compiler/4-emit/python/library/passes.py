"""Passes: further calls of the model in a step."""
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel


class Velocities(NamedTuple):
    """What the model predicts, [B, T, C], references included; None for a modality that it was not given."""

    video: Tensor
    audio: Tensor


def passes_trainer(base):
    """The official trainer, whose strategy may call the model itself, with what is trained or without the LoRA."""

    class PassesTrainer(base):
        @classmethod
        def check(cls, run_config, strategy_class):
            super().check(run_config, strategy_class)
            if run_config.model.training_mode == "lora":
                return
            for name in base_passes(strategy_class):
                raise Refusal(
                    f"the pass `{name}` calls the model as it was before the training, of which the official trainer "
                    "keeps no copy in a full training: set model.training_mode to lora"
                )

        def _collect_trainable_params(self):
            super()._collect_trainable_params()
            # The LoRA is there, and nothing is wrapped yet.
            self.adapted = self._transformer
            if base_passes(self._training_strategy) and not hasattr(self.adapted, "disable_adapter"):
                raise Refusal("this version of PEFT cannot switch a LoRA off: its model has no disable_adapter")
            self._training_strategy.model = self.call_model

        def call_model(self, name, video, audio):
            """What a pass predicts, without a gradient where it calls the base model."""
            # DDP would look for the parameters that the step's own call uses among those of this one.
            wrapped = self._transformer
            model = wrapped.module if isinstance(wrapped, DistributedDataParallel) else wrapped
            with self.aside():
                if self._training_strategy.PASSES[name] == "trained":
                    return Velocities(*model(video=video, audio=audio, perturbations=None))
                with torch.no_grad(), self.adapted.disable_adapter():
                    return Velocities(*model(video=video, audio=audio, perturbations=None))

    return PassesTrainer


def base_passes(strategy) -> list:
    return [name for name, weights in strategy.PASSES.items() if weights == "base"]
