"""
A LoRA whose strength moves a concept up and down, from two texts instead of data (Gandikota et al. 2023).

Made by ltxc … from concept_slider.strategy (sha256 6ca9c82fa90d). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_concept_slider.py train.yaml

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


class ConceptSliderConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is concept_slider."""

    name: Literal["concept_slider"] = "concept_slider"
    eta: float = Field(default=1, description="How far the concept is moved at strength 1")

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"latents": "latents", "conditions": "conditions"}

    def files(self) -> dict[str, str]:
        """The file of each source that is the same for all samples, below data.preprocessed_data_root."""
        return {"positive": "positive.pt", "negative": "negative.pt"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions", self.files())

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class ConceptSliderInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    aim: Tensor = None


class ConceptSliderStrategy(TrainingStrategy):
    """
    A LoRA whose strength moves a concept up and down, from two texts instead of data (Gandikota et al. 2023).

        latents     video_latents in latents
        conditions  text_embeddings in conditions
        positive    text_embeddings in positive.pt
        negative    text_embeddings in negative.pt
    """

    SOURCE = {
        "strategy": "concept_slider",
        "version": "…",
        "source_hash": "6ca9c82fa90d432673768731773d3436adb60620a0e41b29bd92fe2e467fd184",
    }
    KINDS = {
        "latents": "video_latents",
        "conditions": "text_embeddings",
        "positive": "text_embeddings",
        "negative": "text_embeddings",
    }
    TEXTS = ["conditions", "positive", "negative"]
    PASSES = {"base": "base", "more": "base", "less": "base"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}
        self.model = None

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        params = self.config
        idx = self.batch_idx = batch["idx"]  # [batch]
        texts = texts_of(batch["conditions"], self.TEXTS)
        latents = latents_of(batch[self.keys["latents"]])  # [batch, channel, frame, height, width]
        conditions = texts["conditions"]
        positive = texts["positive"]
        negative = texts["negative"]
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
        base = self.model(
            "base",
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
        base_video_prediction = base.video.float()  # [batch, token:video, channel]
        more = self.model(
            "more",
            Modality(
                latent=video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(positive, "video"),
                enabled=True,
                context_mask=positive["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        more_video_prediction = more.video.float()  # [batch, token:video, channel]
        less = self.model(
            "less",
            Modality(
                latent=video_noisy,
                sigma=video_sigma,
                timesteps=video_timesteps,
                positions=video_positions,
                context=context_of(negative, "video"),
                enabled=True,
                context_mask=negative["prompt_attention_mask"],
                attention_mask=None,
                keyframes_mask=video_keyframes[:, :, None],
            ),
            None,
        )
        less_video_prediction = less.video.float()  # [batch, token:video, channel]
        # aim: base.video.prediction + eta * (more.video.prediction - less.video.prediction)
        # [batch, token:video, channel]
        aim = base_video_prediction + params.eta * (more_video_prediction - less_video_prediction)

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
        return ConceptSliderInputs(
            video=video,
            audio=None,
            video_targets=video_target,
            audio_targets=None,
            video_loss_mask=video_generated,
            audio_loss_mask=None,
            aim=aim,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        aim = inputs.aim
        video_prediction = video_pred.float()  # [batch, token:video, channel]
        # slider: mse(video.prediction, aim)
        loss_slider = (video_prediction - aim).square().mean((1, 2))
        self.terms = {"slider": loss_slider.detach()}
        return loss_slider  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

