"""A stand-in for the official package ltx-trainer, for tests of compiled strategies where it is not installed."""
import logging
import os

logger = logging.getLogger("ltx_trainer")
logger.setLevel(logging.DEBUG if os.environ.get("LOCAL_RANK", "0") == "0" else logging.WARNING)
