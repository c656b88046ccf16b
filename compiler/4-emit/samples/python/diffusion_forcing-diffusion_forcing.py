"""
Every latent frame has a noise level of its own, so that a video can be rolled out frame by frame.

Made by ltxc … from diffusion_forcing.strategy (sha256 5445be7de7f5). Change that file, not this one. To train with
the official trainer:

    accelerate launch ltxc_diffusion_forcing.py train.yaml

Validation is the official trainer's own and does not call this strategy. It knows no attention masks, no noise levels
of single tokens.
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


class DiffusionForcingConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is diffusion_forcing."""

    name: Literal["diffusion_forcing"] = "diffusion_forcing"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


class DiffusionForcingStrategy(TrainingStrategy):
    """
    Every latent frame has a noise level of its own, so that a video can be rolled out frame by frame.

        latents     video_latents in latents
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "diffusion_forcing",
        "version": "…",
        "source_hash": "5445be7de7f5992f07478c984e663d12097a7a9ad245df0e7f9b7e762cbbad74",
    }
    KINDS = {"latents": "video_latents", "conditions": "text_embeddings"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        # video.sigma: sampled() per frame
        video_sigma = draws.sampled("video.sigma", (batch_size, frames), video_tokens)  # [batch, frame]
        # [batch, token:video]
        video_timesteps = over_tokens(video_sigma, 1, (frames, height, width), [True, False, False])
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        video_noisy = (
            over_tokens(1 - video_sigma, 1, (frames, height, width), [True, False, False])[:, :, None] * video_clean
            + video_timesteps[:, :, None] * video_noise
        )  # [batch, token:video, channel]
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        video_sequence_frame_index = (video_token // (height * width)).float()  # [sequence:video]
        # video.attention: frame_index >= key(frame_index)
        video_attention = (
            video_sequence_frame_index[:, None] >= video_sequence_frame_index
        )[None].expand(batch_size, -1, -1).float()  # [batch, sequence:video, key:video]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        # [batch, sequence:video]
        video_keyframes = (video_sequence_frame_index < 1)[None].expand(batch_size, -1).float()
        check_attention(idx, video_attention)

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=video_noisy,
            sigma=video_sigma.mean(1),
            timesteps=video_timesteps,
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=video_attention,
            keyframes_mask=video_keyframes[:, :, None],
        )
        self.first_batches.look(idx, {}, [video_generated])
        return ModelInputs(
            video=video,
            audio=None,
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

