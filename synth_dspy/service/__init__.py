"""The REST API of the `routing` recipe, and the service behind it for Python.

`router` and `configure_service` mount it in another FastAPI app; `create_app` is the whole server.
"""

from synth_dspy.programs.routing.profiles import ProfileSelector
from synth_dspy.programs.routing.registry import OPTIMIZER_REGISTRY, get_optimizer_config
from synth_dspy.service.api import configure_service, router
from synth_dspy.service.app import create_app
from synth_dspy.service.schemas import GenerateRequest, GenerateResponse
from synth_dspy.service.synthesis import SyntheticDataService

__all__ = [
    "OPTIMIZER_REGISTRY",
    "GenerateRequest",
    "GenerateResponse",
    "ProfileSelector",
    "SyntheticDataService",
    "configure_service",
    "create_app",
    "get_optimizer_config",
    "router",
]
