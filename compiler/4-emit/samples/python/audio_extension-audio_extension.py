"""
Continue a sound, of which the beginning is given.

Made by ltxc … from audio_extension.strategy (sha256 e6fd0841f737). Change that file, not this one. To train with
the official trainer:

    accelerate launch ltxc_audio_extension.py train.yaml

Validation is the official trainer's own and does not call this strategy. What its samples are given is written as their
`conditions`. `expect` is for `ltxc test` and not part of this file.
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
from typing import Literal

import torch
import yaml
from pydantic import Field
from torch import Tensor

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class AudioExtensionConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is audio_extension."""

    name: Literal["audio_extension"] = "audio_extension"
    given_steps: int = Field(default=8, ge=1, description="Audio latent steps that are given")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"audio_latents": "audio_latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


class AudioExtensionStrategy(TrainingStrategy):
    """
    Continue a sound, of which the beginning is given.

        audio_latents  audio_latents in audio_latents
        conditions     text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "audio_extension",
        "version": "…",
        "source_hash": "e6fd0841f73700c6a7c5cd09a6ff3dc6041770905d5425a955b256c3a627da39",
    }
    KINDS = {"audio_latents": "audio_latents", "conditions": "text_embeddings"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        params = self.config
        idx = self.batch_idx = batch["idx"]  # [batch]
        audio_latents = latents_of(batch[self.keys["audio_latents"]])  # [batch, channel, step, mel]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(audio_latents)
        steps = audio_latents.shape[2]
        audio_tokens = steps
        audio_channels = audio_latents.shape[1] * audio_latents.shape[3]
        device = audio_latents.device
        draws = Draws(self.place, timestep_sampler, device)

        audio_sigma = draws.sampled("audio.sigma", (batch_size,), audio_tokens)  # [batch]
        audio_token = torch.arange(audio_tokens, device=device)  # [token:audio]
        # audio.keep: prefix(given_steps)
        audio_keep = (audio_token.float() < params.given_steps)[None].expand(batch_size, -1)  # [batch, token:audio]
        audio_timesteps = torch.where(audio_keep, 0, audio_sigma[:, None])  # [batch, token:audio]
        # audio.clean: audio_latents
        audio_clean = to_audio_tokens(audio_latents.float())  # [batch, token:audio, channel]
        # [batch, token:audio, channel]
        audio_noise = draws.randn("audio.noise", (batch_size, audio_tokens, audio_channels), audio_latents.dtype)
        audio_noisy = torch.where(
            audio_keep[:, :, None],
            audio_clean,
            (1 - audio_sigma)[:, None, None] * audio_clean + audio_sigma[:, None, None] * audio_noise,
        )  # [batch, token:audio, channel]
        audio_target = rounded(audio_noise - audio_clean, audio_latents.dtype)  # [batch, token:audio, channel]
        audio_generated = ~audio_keep  # [batch, token:audio]

        audio_positions = positions_of_audio([audio_latents])  # [batch, 1, sequence:audio, from and to]
        audio = Modality(
            latent=audio_noisy,
            sigma=audio_sigma,
            timesteps=audio_timesteps,
            positions=audio_positions,
            context=context_of(conditions, "audio"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=None,
        )
        self.first_batches.look(idx, {}, [audio_generated])
        return ModelInputs(
            video=None,
            audio=audio,
            video_targets=None,
            audio_targets=audio_target,
            video_loss_mask=None,
            audio_loss_mask=audio_generated,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        audio_target = inputs.audio_targets
        audio_generated = inputs.audio_loss_mask
        audio_prediction = audio_pred.float()  # [batch, token:audio, channel]
        # audio: mse(audio.prediction, audio.target) over audio.generated
        loss_audio = masked_mean((audio_prediction - audio_target).square().mean(2), audio_generated.float())
        self.terms = {"audio": loss_audio.detach()}
        return loss_audio  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

