"""
Fill the masked regions of a video; everything else conditions the model.

Made by ltxc … from inpainting.strategy (sha256 e116dc973ca6). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_inpainting.py train.yaml

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


class InpaintingConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is inpainting."""

    name: Literal["inpainting"] = "inpainting"
    mask_latents_dir: str = Field(default="mask_latents", description="Directory of the mask latents")
    mask_threshold: float = Field(default=0.5, ge=0, le=1, description="Mask latents above it are filled in")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "conditions": "conditions", "masks": self.mask_latents_dir}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class InpaintingInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    inpaint: Tensor = None


class InpaintingStrategy(TrainingStrategy):
    """
    Fill the masked regions of a video; everything else conditions the model.

        latents     video_latents in latents
        conditions  text_embeddings in conditions
        masks       video_latents in ${mask_latents_dir}
    """

    SOURCE = {
        "strategy": "inpainting",
        "version": "…",
        "source_hash": "e116dc973ca66ee4066fb2e4cc9b1681cee8be9e8a92c18954e5b544fa30ac99",
    }
    KINDS = {"latents": "video_latents", "conditions": "text_embeddings", "masks": "video_latents"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        params = self.config
        idx = self.batch_idx = batch["idx"]  # [batch]
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        conditions = batch[self.keys["conditions"]]
        masks = latents_of(batch[self.keys["masks"]])  # [batch, channel, frame, height, width]
        check_grid(idx, latents, masks=masks)
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        video_sigma = draws.sampled("video.sigma", (batch_size,), video_tokens)  # [batch]
        # inpaint: mean(tokens(masks), channel) > mask_threshold
        inpaint = to_video_tokens(masks.float()).mean(2) > params.mask_threshold  # [batch, token:video]
        # video.keep: not inpaint
        video_keep = ~inpaint  # [batch, token:video]
        video_timesteps = torch.where(video_keep, 0, video_sigma[:, None])  # [batch, token:video]
        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        # [batch, token:video, channel]
        video_noise = draws.randn("video.noise", (batch_size, video_tokens, video_channels), latents.dtype)
        video_noisy = torch.where(
            video_keep[:, :, None],
            video_clean,
            (1 - video_sigma)[:, None, None] * video_clean + video_sigma[:, None, None] * video_noise,
        )  # [batch, token:video, channel]
        video_target = rounded(video_noise - video_clean, latents.dtype)  # [batch, token:video, channel]
        video_generated = ~video_keep  # [batch, token:video]
        # video.fps: 24
        video_fps = torch.full((batch_size,), 24, dtype=torch.float64, device=device)  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()

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
        self.first_batches.look(idx, {}, [video_generated])
        return InpaintingInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            inpaint=inpaint,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        video_target = inputs.video_targets
        inpaint = inputs.inpaint
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # inpaint: mse(video.prediction, video.target) over inpaint
        loss_inpaint = masked_mean((video_prediction - video_target).square().mean(2), inpaint.float())
        self.terms = {"inpaint": loss_inpaint.detach()}
        return loss_inpaint  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

