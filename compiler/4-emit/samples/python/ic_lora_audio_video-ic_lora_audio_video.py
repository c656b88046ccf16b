"""
IC-LoRA for picture and sound together, each under the control of a reference of its own.

Made by ltxc … from ic_lora_audio_video.strategy (sha256 0d3e01e6883f). Change that file, not this one. To train
with the official trainer:

    accelerate launch ltxc_ic_lora_audio_video.py train.yaml

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


class IcLoraAudioVideoConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is ic_lora_audio_video."""

    name: Literal["ic_lora_audio_video"] = "ic_lora_audio_video"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {
            "latents": "latents",
            "audio_latents": "audio_latents",
            "reference": "reference_latents",
            "reference_audio": "reference_audio_latents",
            "conditions": "conditions",
        }

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class IcLoraAudioVideoInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    video_tokens: int = 0
    audio_tokens: int = 0


class IcLoraAudioVideoStrategy(TrainingStrategy):
    """
    IC-LoRA for picture and sound together, each under the control of a reference of its own.

        latents          video_latents in latents
        reference        video_latents in reference_latents
        audio_latents    audio_latents in audio_latents
        reference_audio  audio_latents in reference_audio_latents
        conditions       text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "ic_lora_audio_video",
        "version": "…",
        "source_hash": "0d3e01e6883f84a3601fdfb46c034d0e4804b4b8398addb21383d72c626a85e7",
    }
    KINDS = {
        "latents": "video_latents",
        "reference": "video_latents",
        "audio_latents": "audio_latents",
        "reference_audio": "audio_latents",
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
        reference = latents_of(batch[self.keys["reference"]])  # [batch, channel, frame, height, width]
        reference_audio = latents_of(batch[self.keys["reference_audio"]])  # [batch, channel, step, mel]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(latents)
        frames, height, width = latents.shape[2:]
        video_tokens = frames * height * width
        video_channels = latents.shape[1]
        steps = audio_latents.shape[2]
        audio_tokens = steps
        audio_channels = audio_latents.shape[1] * audio_latents.shape[3]
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
        # video.references: [reference]
        # latents with their frames per second, in the order of the sequence
        video_references = [(reference, fps_of(batch[self.keys["reference"]]))]
        video_fps = fps_of(batch[self.keys["latents"]])  # [batch]
        video_parts = [*(part for part, _ in video_references), latents]  # latents of references and target
        video_keyframes = (
            in_sequence(video_parts, lambda token, frames, height, width: token // (height * width)) < 1
        )[None].expand(batch_size, -1).float()  # [batch, sequence:video]
        # audio.sigma: video.sigma
        audio_sigma = video_sigma  # [batch]
        audio_timesteps = audio_sigma[:, None].expand(-1, audio_tokens)  # [batch, token:audio]
        # audio.clean: audio_latents
        audio_clean = to_audio_tokens(audio_latents.float())  # [batch, token:audio, channel]
        # [batch, token:audio, channel]
        audio_noise = draws.randn("audio.noise", (batch_size, audio_tokens, audio_channels), audio_latents.dtype)
        # [batch, token:audio, channel]
        audio_noisy = (1 - audio_sigma)[:, None, None] * audio_clean + audio_sigma[:, None, None] * audio_noise
        audio_target = rounded(audio_noise - audio_clean, audio_latents.dtype)  # [batch, token:audio, channel]
        # [batch, token:audio]
        audio_generated = torch.ones((batch_size, audio_tokens), dtype=torch.bool, device=device)
        # audio.references: [reference_audio]
        audio_references = [reference_audio]  # in the order of the sequence

        video_sequence = token_count(video_parts)  # tokens
        # [batch, axis, sequence:video, from and to]
        video_positions = positions_of_video([*video_references, (latents, video_fps)], self.video_scale_factors)
        video = Modality(
            latent=torch.cat([*(to_video_tokens(part.float()) for part, _ in video_references), video_noisy], 1),
            sigma=video_sigma,
            timesteps=after_references(video_timesteps, 1, video_sequence),
            positions=video_positions,
            context=context_of(conditions, "video"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=video_keyframes[:, :, None],
        )
        audio_parts = [*audio_references, audio_latents]  # latents of references and target
        audio_sequence = token_count(audio_parts)  # tokens
        audio_positions = positions_of_audio(audio_parts)  # [batch, 1, sequence:audio, from and to]
        audio = Modality(
            latent=torch.cat([*(to_audio_tokens(part.float()) for part in audio_references), audio_noisy], 1),
            sigma=audio_sigma,
            timesteps=after_references(audio_timesteps, 1, audio_sequence),
            positions=audio_positions,
            context=context_of(conditions, "audio"),
            enabled=True,
            context_mask=conditions["prompt_attention_mask"],
            attention_mask=None,
            keyframes_mask=None,
        )
        metadata = check_references(idx, (latents, video_fps), [(reference, fps_of(batch[self.keys["reference"]]))])
        self.metadata = unchanged(idx, self.metadata, metadata)
        self.first_batches.look(idx, {}, [video_generated, audio_generated])
        return IcLoraAudioVideoInputs(
            video=video,
            audio=audio,
            video_targets=video_target,
            audio_targets=audio_target,
            video_loss_mask=video_generated,
            audio_loss_mask=audio_generated,
            video_tokens=video_tokens,
            audio_tokens=audio_tokens,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]: video + audio."""
        video_target = inputs.video_targets
        audio_target = inputs.audio_targets
        video_tokens = inputs.video_tokens
        audio_tokens = inputs.audio_tokens
        video_prediction = video_pred[:, -video_tokens:].float()  # [batch, token:video, channel]
        audio_prediction = audio_pred[:, -audio_tokens:].float()  # [batch, token:audio, channel]
        # video: mse(video.prediction, video.target)
        loss_video = (video_prediction - video_target).square().mean((1, 2))
        # audio: mse(audio.prediction, audio.target)
        loss_audio = (audio_prediction - audio_target).square().mean((1, 2))
        self.terms = {"video": loss_video.detach(), "audio": loss_audio.detach()}
        return loss_video + loss_audio  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

