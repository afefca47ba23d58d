"""What a run's YAML says: `load_config` reads it, `Config` holds it, frozen and checked."""

from synth_dspy.config.content import Category, Parsing, Source
from synth_dspy.config.dataset import Dataset
from synth_dspy.config.endpoints import Endpoint, Models, Role
from synth_dspy.config.generation import Allocation, Generation
from synth_dspy.config.load import Loaded, default_config_path, load_config
from synth_dspy.config.schema import Config, Replies, Sandbox, Tracking
from synth_dspy.config.settings import Setting, describe_settings
from synth_dspy.config.variables import environment

__all__ = [
    "Allocation", "Category", "Config", "Dataset", "Endpoint", "Generation", "Loaded", "Models",
    "Parsing", "Replies", "Role", "Sandbox", "Setting", "Source", "Tracking",
    "default_config_path", "describe_settings", "environment", "load_config",
]  # fmt: skip
