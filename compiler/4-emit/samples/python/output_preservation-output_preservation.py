"""
Learn a subject, and go on predicting what the base model does for a general caption.

Made by ltxc … from output_preservation.strategy (sha256 c6484b3b1aad). Change that file, not this one. To train
with the official trainer:

    accelerate launch ltxc_output_preservation.py train.yaml

Validation is the official trainer's own and does not call this strategy.
"""
import _thread
import dataclasses
import hashlib
import importlib.metadata
import inspect
import json
import math
import os
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import yaml
from pydantic import Field
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class OutputPreservationConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is output_preservation."""

    name: Literal["output_preservation"] = "output_preservation"
    strength: float = Field(default=1, ge=0, description="Weight of what is to stay as it is")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "conditions": "conditions", "general": "general_conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class OutputPreservationInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    now_video_prediction: Tensor = None
    before_video_prediction: Tensor = None


class OutputPreservationStrategy(TrainingStrategy):
    """
    Learn a subject, and go on predicting what the base model does for a general caption.

        latents     video_latents in latents
        conditions  text_embeddings in conditions
        general     text_embeddings in general_conditions
    """

    SOURCE = {
        "strategy": "output_preservation",
        "version": "…",
        "source_hash": "c6484b3b1aad8559cc6d0be64cf3dde7f50593bcc9719b62fd858fea960b8dcc",
    }
    KINDS = {"latents": "video_latents", "conditions": "text_embeddings", "general": "text_embeddings"}
    TEXTS = ["conditions", "general"]
    PASSES = {"now": "trained", "before": "base"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}
        self.model = None

    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        texts = texts_of(batch["conditions"], self.TEXTS)
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        conditions = texts["conditions"]
        general = texts["general"]
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        video_sigma = draws.sampled("video.sigma", (batch_size,), video_tokens)  # [batch]
        video_timesteps = video_sigma[:, None].expand(-1, video_tokens)  # [batch, token:video]
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        # [batch, token:video, channel]
        video_noisy = (1 - video_sigma)[:, None, None] * video_clean + video_sigma[:, None, None] * video_noise
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()
        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        now = self.model(
            "now",
            Modality(
                latent=video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(general, "video"),
                enabled=True,
                context_mask=general["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        now_video_prediction = now.video.float()  # [batch, token:video, channel]
        before = self.model(
            "before",
            Modality(
                latent=video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(general, "video"),
                enabled=True,
                context_mask=general["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        before_video_prediction = before.video.float()  # [batch, token:video, channel]

        video = Modality(
            latent=video_noisy,
            sigma=video_sigma,
            timesteps=video_timesteps,
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=video_keyframes[:, :, None],
        )
        self.first_batches.look(idx, {}, [video_generated])
        return OutputPreservationInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            now_video_prediction=now_video_prediction,
            before_video_prediction=before_video_prediction,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]: velocity + preserve."""
        params = self.config
        video_target = inputs.video_targets
        now_video_prediction = inputs.now_video_prediction
        before_video_prediction = inputs.before_video_prediction
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # velocity: mse(video.prediction, video.target)
        loss_velocity = (video_prediction - video_target).square().mean((1, 2))
        # preserve: strength * mse(now.video.prediction, before.video.prediction)
        loss_preserve = params.strength * (now_video_prediction - before_video_prediction).square().mean((1, 2))
        self.terms = {"velocity": loss_velocity.detach(), "preserve": loss_preserve.detach()}
        return loss_velocity + loss_preserve  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

