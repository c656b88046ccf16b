"""What a strategy extends and returns."""
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from ltx_core.model.transformer.modality import Modality


class ScaleFactors(NamedTuple):
    """Pixels of a latent cell."""

    time: int
    height: int
    width: int


class TrainingStrategyConfigBase(BaseModel, ABC):
    model_config = ConfigDict(extra="forbid")

    name: Literal["flexible", "text_to_video", "video_to_video"]

    @abstractmethod
    def get_data_sources(self) -> dict[str, str]:
        """Directory -> key of the batch."""


@dataclass
class ModelInputs:
    video: Modality | None
    audio: Modality | None
    video_targets: Tensor | None
    audio_targets: Tensor | None
    video_loss_mask: Tensor | None
    audio_loss_mask: Tensor | None


class TrainingStrategy(ABC):
    def __init__(self, config: TrainingStrategyConfigBase):
        self.config = config
        # Strategies of ours must not use these.
        self._video_patchifier = self._audio_patchifier = None
        self.video_scale_factors = ScaleFactors(8, 32, 32)

    @abstractmethod
    def prepare_training_inputs(self, batch: dict[str, Any], timestep_sampler: Any) -> ModelInputs:
        """From a batch to what the model gets."""

    @abstractmethod
    def compute_loss(self, video_pred: Tensor | None, audio_pred: Tensor | None, inputs: ModelInputs) -> Tensor:
        """[B], with gradient."""

    def get_checkpoint_metadata(self) -> dict[str, Any]:
        return {}
