"""The Ray runner: the local engine leads, and the work on records is done by workers on Ray.

Order, quotas, the commit pointer and the journals are where they always are, in `LocalRunner`: its
workbench is a `RayWorkbench`, which sends each record to a worker. So a run on Ray makes the
dataset of a local one by construction. Only this package imports ray, where it is used.

Map stages go this way, too, and not through Ray Data: that starts workers of its own in every pass,
each of which would open models and sandboxes again, and hands on blocks where journals, budgets and
stops need outcomes of single records. `python -m benchmarks` measures it beside this.
"""

from synth_dspy.runners.ray.bench import RayWorkbench
from synth_dspy.runners.ray.cluster import Cluster, connect
from synth_dspy.runners.ray.crew import Crew
from synth_dspy.runners.ray.limits import Ceilings, EndpointCeiling
from synth_dspy.runners.ray.worker import Opener, OpenStages

__all__ = [
    "Ceilings", "Cluster", "Crew", "EndpointCeiling", "OpenStages", "Opener", "RayWorkbench",
    "connect",
]  # fmt: skip
