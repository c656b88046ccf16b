"""The factory that the trainer binds by name; a compiled strategy replaces it in the trainer's module."""
from ltx_trainer.training_strategies.base_strategy import TrainingStrategy, TrainingStrategyConfigBase


def get_training_strategy(config: TrainingStrategyConfigBase) -> TrainingStrategy:
    raise ValueError(f"unknown training strategy config: {type(config).__name__}")
