"""
Fill the masked steps of a sound, under the picture it belongs to.

Made by ltxc … from audio_inpainting.strategy (sha256 8de70a795a2b). Change that file, not this one. To train with
the official trainer:

    accelerate launch ltxc_audio_inpainting.py train.yaml

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
from torch import Tensor

from ltx_core.model.transformer.modality import Modality
from ltx_trainer import logger
from ltx_trainer.training_strategies.base_strategy import ModelInputs, TrainingStrategy, TrainingStrategyConfigBase


class AudioInpaintingConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is audio_inpainting."""

    name: Literal["audio_inpainting"] = "audio_inpainting"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {
            "latents": "latents",
            "audio_latents": "audio_latents",
            "gaps": "audio_gaps",
            "conditions": "conditions",
        }

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


class AudioInpaintingStrategy(TrainingStrategy):
    """
    Fill the masked steps of a sound, under the picture it belongs to.

        latents        video_latents in latents
        audio_latents  audio_latents in audio_latents
        gaps           audio_mask in audio_gaps
        conditions     text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "audio_inpainting",
        "version": "…",
        "source_hash": "8de70a795a2bb3a33431b8a8ae5fd5ed54ed3c52cc52100b788aa7bcdb6db731",
    }
    KINDS = {
        "latents": "video_latents",
        "audio_latents": "audio_latents",
        "gaps": "audio_mask",
        "conditions": "text_embeddings",
    }

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
        gaps = mask_of(batch[self.keys["gaps"]])  # [batch, token:audio]
        conditions = batch[self.keys["conditions"]]
        check_grid(idx, audio_latents, gaps=gaps)
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        steps = audio_latents.shape[2]
        audio_tokens = steps
        audio_channels = audio_latents.shape[1] * audio_latents.shape[3]
        device = latents.device
        draws = Draws(self.place, timestep_sampler, device)

        # video.clean: latents
        video_clean = to_video_tokens(latents.float())  # [batch, token:video, channel]
        video_sigma = torch.zeros((batch_size,), device=device)  # [batch]
        video_timesteps = video_sigma[:, None].expand(-1, video_tokens)  # [batch, token:video]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_token = torch.arange(video_tokens, device=device)  # [token:video]
        # [batch, sequence:video]
        video_keyframes = ((video_token // (height * width)).float() < 1)[None].expand(batch_size, -1).float()
        audio_sigma = draws.sampled("audio.sigma", (batch_size,), audio_tokens)  # [batch]
        # audio.noise_mask: gaps > 0.5
        audio_keep = ~(gaps.float() > 0.5)  # [batch, token:audio]
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

        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([(latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=video_clean,
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
            video=video,
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

