"""
IC-LoRA for sound: generate audio under the control of reference audio, for instance a voice or a rhythm.

Made by ltxc … from ic_lora_audio.strategy (sha256 c09601b51a84). Change that file, not this one. To train with the
official trainer:

    accelerate launch ltxc_ic_lora_audio.py train.yaml

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


class IcLoraAudioConfig(TrainingStrategyConfigBase):
    """The section training_strategy of a run config whose strategy is ic_lora_audio."""

    name: Literal["ic_lora_audio"] = "ic_lora_audio"

    def directories(self) -> dict[str, str]:
        """The directory of each source, below data.preprocessed_data_root."""
        return {"audio_latents": "audio_latents", "voice": "reference_audio_latents", "conditions": "conditions"}

    def batch_keys(self) -> dict[str, str]:
        """Where each source lies in a batch."""
        return keys_of(self.directories(), "conditions")

    def get_data_sources(self) -> dict[str, str]:
        """The directories that the trainer reads, and where it puts what it reads in a batch."""
        keys = self.batch_keys()
        return {directory: keys[source] for source, directory in self.directories().items()}


@dataclass
class IcLoraAudioInputs(ModelInputs):
    """What the model gets, and what the loss needs besides."""

    audio_tokens: int = 0


class IcLoraAudioStrategy(TrainingStrategy):
    """
    IC-LoRA for sound: generate audio under the control of reference audio, for instance a voice or a rhythm.

        audio_latents  audio_latents in audio_latents
        voice          audio_latents in reference_audio_latents
        conditions     text_embeddings in conditions
    """

    SOURCE = {
        "strategy": "ic_lora_audio",
        "version": "…",
        "source_hash": "c09601b51a84ee09947cea63e6a5fdbb387f7066202a4bb2cc9d1466fb11e970",
    }
    KINDS = {"audio_latents": "audio_latents", "voice": "audio_latents", "conditions": "text_embeddings"}

    def __init__(self, config):
        super().__init__(config)
        self.keys, self.first_batches = config.batch_keys(), FirstBatches()
        self.place, self.batch_idx, self.terms, self.metadata = None, None, {}, {}

    @torch.no_grad()
    def prepare_training_inputs(self, batch, timestep_sampler):
        """What the model gets of a batch, and what the loss needs of it."""
        idx = self.batch_idx = batch["idx"]  # [batch]
        audio_latents = latents_of(batch[self.keys["audio_latents"]])  # [batch, channel, step, mel]
        voice = latents_of(batch[self.keys["voice"]])  # [batch, channel, step, mel]
        conditions = batch[self.keys["conditions"]]
        batch_size = len(audio_latents)
        steps = audio_latents.shape[2]
        audio_tokens = steps
        audio_channels = audio_latents.shape[1] * audio_latents.shape[3]
        device = audio_latents.device
        draws = Draws(self.place, timestep_sampler, device)

        audio_sigma = draws.sampled("audio.sigma", (batch_size,), audio_tokens)  # [batch]
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
        # audio.references: [voice]
        audio_references = [voice]  # in the order of the sequence

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
        self.first_batches.look(idx, {}, [audio_generated])
        return IcLoraAudioInputs(
            video=None,
            audio=audio,
            video_targets=None,
            audio_targets=audio_target,
            video_loss_mask=None,
            audio_loss_mask=audio_generated,
            audio_tokens=audio_tokens,
        )

    def compute_loss(self, video_pred, audio_pred, inputs):
        """The loss of each sample, [batch]."""
        audio_target = inputs.audio_targets
        audio_tokens = inputs.audio_tokens
        audio_prediction = audio_pred[:, -audio_tokens:].float()  # [batch, token:audio, channel]
        # audio: mse(audio.prediction, audio.target)
        loss_audio = (audio_prediction - audio_target).square().mean((1, 2))
        self.terms = {"audio": loss_audio.detach()}
        return loss_audio  # [batch]

    def get_checkpoint_metadata(self):
        """Text for the checkpoint."""
        return {**self.metadata, **source_metadata(self.SOURCE, self.config)}

