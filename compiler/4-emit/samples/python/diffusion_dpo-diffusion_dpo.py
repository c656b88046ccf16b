"""
Prefer one clip of a pair to the other, more than the base model does (Diffusion-DPO, Wallace et al. 2023).

Made by ltxc … from diffusion_dpo.strategy (sha256 8083627e8e9c). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_diffusion_dpo.py train.yaml

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


class DiffusionDpoConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is diffusion_dpo."""

    name: Literal["diffusion_dpo"] = "diffusion_dpo"
    beta: float = Field(default=2000, gt=0, description="How far from the base model it may go; less allows more")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "winners", "worse": "losers", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class DiffusionDpoInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    ref_video_prediction: Tensor = None
    loser: Tensor = None


class DiffusionDpoStrategy(TrainingStrategy):
    """
    Prefer one clip of a pair to the other, more than the base model does (Diffusion-DPO, Wallace et al. 2023).

        latents     video_latents in winners
        worse       video_latents in losers
        conditions  text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "diffusion_dpo",
        "version": "…",
        "source_hash": "8083627e8e9cef6efe5a7aa807a1e7c933df7094aa7aa31f2730c4cf2a23803a",
    }
    KINDS = {"latents": "video_latents", "worse": "video_latents", "conditions": "text_embeddings"}
    PASSES = {"ref": "base", "ref_lose": "base", "lose": "trained"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}
        self.model = None

    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        worse = latents_of(batch[self.keys["worse"]])  # [batch, channel, frame, height, width]
        conditions = batch[self.keys["conditions"]]
        check_grid(idx, latents, worse=worse)
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
        video_noisy_difference = 1 - video_sigma  # [batch]
        video_noisy_product = video_sigma[:, None, None] * video_noise  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noisy = video_noisy_difference[:, None, None] * video_clean + video_noisy_product
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        # [batch, token:video]
        video_generated = torch.ones((batch_size, video_tokens), dtype=torch.bool, device=device)
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()
        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        ref = self.model(
            "ref",
            Modality(
                latent=video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(conditions, "video"),
                enabled=True,
                context_mask=conditions["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        ref_video_prediction = ref.video.float()  # [batch, token:video, channel]
        # ref_lose.video.clean: worse
        ref_lose_video_clean = to_video_tokens(worse.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        ref_lose_video_noisy = video_noisy_difference[:, None, None] * ref_lose_video_clean + video_noisy_product
        ref_lose = self.model(
            "ref_lose",
            Modality(
                latent=ref_lose_video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(conditions, "video"),
                enabled=True,
                context_mask=conditions["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        ref_lose_video_prediction = ref_lose.video.float()  # [batch, token:video, channel]
        # lose.video.clean: worse
        lose_video_clean = ref_lose_video_clean  # [batch, token:video, channel]
        lose_video_target = rounded(video_noise - lose_video_clean, worse.dtype)  # [batch, token:video, channel]
        # [batch, token:video, channel]
        lose_video_noisy = video_noisy_difference[:, None, None] * lose_video_clean + video_noisy_product
        lose = self.model(
            "lose",
            Modality(
                latent=lose_video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(conditions, "video"),
                enabled=True,
                context_mask=conditions["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        lose_video_prediction = lose.video.float()  # [batch, token:video, channel]
        # loser: mse(ref_lose.video.prediction, lose.video.target) - mse(lose.video.prediction, lose.video.target)
        loser = (
            (ref_lose_video_prediction - lose_video_target).square().mean((1, 2))
            - (lose_video_prediction - lose_video_target).square().mean((1, 2))
        )  # [batch]

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
        return DiffusionDpoInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            ref_video_prediction=ref_video_prediction,
            loser=loser,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        params = self.config
        ref_video_prediction = inputs.ref_video_prediction
        video_target = inputs.video_targets
        loser = inputs.loser
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # winner: mse(ref.video.prediction, video.target) - mse(video.prediction, video.target)
        winner = (
            (ref_video_prediction - video_target).square().mean((1, 2))
            - (video_prediction - video_target).square().mean((1, 2))
        )  # [batch]
        # margin: beta * (winner - loser)
        margin = params.beta * (winner - loser)  # [batch]
        # preference: max(0, -margin) + log(1 + exp(-abs(margin)))
        loss_preference = (-margin).clamp(min=0) + (1 + (-margin.abs()).exp()).log()
        self.terms = {"preference": loss_preference.detach()}
        return loss_preference  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

