"""A finished dataset, pushed to the Hugging Face Hub.

A folder, a repository's id and a token enter, the address leaves. `HF_ENDPOINT` names another hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import SetupError, UserError

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_DATASET = ("README.md", "data/*.parquet", "chat/**", "images/**")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a dataset is pushed.

    Attributes:
        endpoint: of the hub, "" for the public one; private: of a repository that is made new.
    """

    repo_id: str
    token: str = field(repr=False)
    endpoint: str = ""
    private: bool = False


def destination(
    repo_id: str, variables: Mapping[str, str], *, private: bool = False
) -> Destination:
    """`repo_id` with the token of the environment; asks nobody.

    Raises:
        UserError: the id is not `owner/name`, or there is no token.
    """
    if not _ID.fullmatch(repo_id):
        raise UserError(f"--hub-id {repo_id!r}: a repository's id is owner/name.")
    token = next(
        (variables[name].strip() for name in TOKENS if variables.get(name, "").strip()), ""
    )
    if not token:
        raise UserError(
            f"--hub-id {repo_id}: HF_TOKEN is not set. Make a token with write access on the Hub "
            "(Settings, Access Tokens) and put HF_TOKEN=... into the environment or .env."
        )
    return Destination(repo_id, token, variables.get("HF_ENDPOINT", "").strip(), private)


def push_dataset(final: Path, to: Destination) -> str:
    """Push the card and the rows of `final`, in one commit; the address of the dataset.

    Conversations that were asked for go along; Arrow and JSON lines, which repeat the rows, do not.

    Raises:
        SetupError: the hub did not take it; the text says why, without the token.
    """
    wanted = list(_DATASET) if (final / "chat").is_dir() else list(_DATASET[:2])
    return _upload(final, to, wanted, path="", message="Upload dataset with synth-dspy")


def push_analysis(folder: Path, to: Destination) -> str:
    """Push plots, statistics and report below `analysis/` of the repository; its address.

    Raises:
        SetupError: the hub did not take it.
    """
    wanted = ["*.png", "statistics.json", "contamination.json", "report.html"]
    return _upload(folder, to, wanted, path="analysis", message="Upload analysis with synth-dspy")


def _upload(folder: Path, to: Destination, wanted: list[str], *, path: str, message: str) -> str:
    # huggingface_hub takes a while to import, and only a push needs it.
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    api = HfApi(endpoint=to.endpoint or None, token=to.token, library_name="synth-dspy")
    try:
        made: Any = api.create_repo(
            to.repo_id, repo_type="dataset", private=to.private or None, exist_ok=True
        )
        api.upload_folder(
            repo_id=to.repo_id,
            repo_type="dataset",
            folder_path=folder,
            path_in_repo=path,
            allow_patterns=wanted,
            commit_message=message,
        )
    except OfflineModeIsEnabled as error:
        raise SetupError(
            f"{to.repo_id} was not pushed: HF_HUB_OFFLINE is set; unset it and export again."
        ) from error
    except (HfHubHTTPError, httpx.HTTPError, OSError, ValueError, RuntimeError) as error:
        said = str(error).replace(to.token, "***").strip().splitlines() or ["no reason was given"]
        raise SetupError(
            f"{to.repo_id} was not pushed to {api.endpoint}: {said[0]} The dataset in "
            f"{folder} is not affected; run the same command again."
        ) from None
    return str(made)
