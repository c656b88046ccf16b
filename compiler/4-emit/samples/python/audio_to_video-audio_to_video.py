"""
Generate the picture to a given sound.

Made by ltxc … from audio_to_video.strategy (sha256 bfbecd6d3e48). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_audio_to_video.py train.yaml

Validation is the official trainer's own and does not call this strategy. What its samples are given is written as their
`conditions`.
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
from torch import Tensor

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class AudioToVideoConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is audio_to_video."""

    name: Literal["audio_to_video"] = "audio_to_video"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "audio_latents": "audio_latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


class AudioToVideoStrategy(TrainingStrategy):
    """
    Generate the picture to a given sound.

        latents        video_latents in latents
        audio_latents  audio_latents in audio_latents
        conditions     text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "audio_to_video",
        "version": "…",
        "source_hash": "bfbecd6d3e480a804ac934ea0653c614b3bfc57089bb6a571febb45ff7afd497",
    }
    KINDS = {"latents": "video_latents", "audio_latents": "audio_latents", "conditions": "text_embeddings"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        audio_latents = latents_of(batch[self.keys["audio_latents"]])  # [batch, channel, step, mel]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        steps = audio_latents.shape[2]
        audio_tokens = steps
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
        # audio.clean: audio_latents
        audio_clean = to_audio_tokens(audio_latents.float())  # [batch, token:audio, channel]
        audio_sigma = torch.zeros((batch_size,), device=device)  # [batch]
        audio_timesteps = audio_sigma[:, None].expand(-1, audio_tokens)  # [batch, token:audio]

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
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
        audio_positions = positions_of_audio([audio_latents])  # [batch, 1, sequence:audio, from and to]
        audio = Modality(
            latent=audio_clean,
            sigma=audio_sigma,
            timesteps=audio_timesteps,
            positions=audio_positions,
            context=context_of(conditions, "audio"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=None,
        )
        self.first_batches.look(idx, {}, [video_generated])
        return ModelInputs(
            video=video,
            audio=audio,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        video_target = inputs.video_targets
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # video: mse(video.prediction, video.target)
        loss_video = (video_prediction - video_target).square().mean((1, 2))
        self.terms = {"video": loss_video.detach()}
        return loss_video  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

