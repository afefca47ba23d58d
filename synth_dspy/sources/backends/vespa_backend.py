"""Content in Vespa, asked over its query API by pyvespa (the extra `vespa`).

https://docs.vespa.ai/en/reference/query-api-reference.html. Nothing is asked before the first
sample, so that a service starts while its backend is still coming up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from synth_dspy.errors import BackendError, BackendSlowError, SetupError
from synth_dspy.sources.backends import vespa_yql as yql
from synth_dspy.sources.backends.contract import MODALITIES, Content, SampleOrder
from synth_dspy.sources.backends.tls import tls_fault, tls_files

if TYPE_CHECKING:
    from synth_dspy.config.routing import Backend

_FIELDS = (
    "id", "tenant", "modality", "title", "description", "transcript", "created_at", "entities",
    "cluster",
)  # fmt: skip
_POOL = 4  # records asked for of each one that the seed chooses
_MAX_POOL = 1_000  # Vespa's default maximum of an offset
_GROUP = 8
_DAY_S = 86_400
_TIMEOUT_CODE = 12  # of Vespa's errors


class VespaContent:
    """A content backend on a Vespa server.

    Raises:
        SetupError: the extra is not installed.
        BackendError: a file for TLS cannot be used.
    """

    name = "vespa"
    fixed = False

    def __init__(self, settings: Backend) -> None:
        try:
            from vespa.application import Vespa
        except ImportError as error:
            raise SetupError(
                "routing.backend.kind is vespa, which needs the extra: pip install "
                "'synth-dspy[vespa]'."
            ) from error
        self._settings = settings
        self.described = f"{settings.url}, schema {settings.document_type}"
        self._names = {field: field for field in _FIELDS} | dict(settings.fields)
        self._files = tls_files(settings)
        self._app: Any = Vespa(settings.url)

    def sample(self, order: SampleOrder) -> list[Content]:
        """Records by a strategy. Raises as the protocol says."""
        names, schema, size, seed = self._names, self._schema, order.size, order.seed
        mine = yql.where(names, order.tenant)
        match order.strategy:
            case "diverse":
                strata = self._groups(yql.grouped(schema, mine, names["cluster"], size, size))
                return yql.in_turns(strata, seed, size)
            case "by_modality":
                share = -(-size // len(MODALITIES))
                strata = {
                    m: self._pool(yql.where(names, order.tenant, yql.of_modality(names, m)), share)
                    for m in MODALITIES
                }
                return yql.in_turns(strata, seed, size)
            case "temporal_recent":
                return self._recent(order)
            case "entity_rich":
                pool = yql.by_lot(self._pool(mine, size), seed)
                rich = [content for content in pool if content.entities]
                return sorted(rich, key=lambda content: -len(content.entities))[:size]
            case "multi_modal_sequences":
                by_name = self._groups(
                    yql.grouped(schema, mine, names["entities"], size, _GROUP)
                )  # fmt: skip
                return yql.sequences(by_name, seed, size)
            case "cross_modal_pairs":
                by_name = self._groups(
                    yql.grouped(schema, mine, names["entities"], size, _GROUP)
                )  # fmt: skip
                return yql.pairs(by_name, seed, size)

    def version(self) -> str:
        """How many records there are: what a query can tell of a server's content."""
        answer = self._ask(f"select * from {self._schema} where true", hits=0)
        return f"{self.described}: {answer['root'].get('fields', {}).get('totalCount', 0)}"

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    @property
    def _schema(self) -> str:
        return self._settings.document_type

    @cached_property
    def _client(self) -> Any:
        import httpr

        # pyvespa's own session cannot be given an authority.
        authority = self._files.authority
        return httpr.Client(
            headers=self._app.base_headers,
            timeout=self._settings.timeout,
            follow_redirects=True,
            http2_only=False,
            client_pem_data=self._files.client_pem,
            ca_cert_file=str(authority) if authority else None,
        )

    def _recent(self, order: SampleOrder) -> list[Content]:
        newest_first = f"{self._names['created_at']} desc"
        mine = yql.where(self._names, order.tenant)
        newest = self._page(yql.hits(self._schema, mine, newest_first), 1, 0)
        stamp = _seconds(newest[0].get(self._names["created_at"])) if newest else None
        if stamp is None:
            return []
        start = yql.since(self._names, stamp - order.recency_days * _DAY_S)
        pool = self._pool(yql.where(self._names, order.tenant, start), order.size, newest_first)
        chosen = yql.by_lot(pool, order.seed)[: order.size]
        return sorted(chosen, key=lambda content: (content.created_at, content.id), reverse=True)

    def _pool(self, condition: str, size: int, order: str = "") -> list[Content]:
        """More records than are wanted, a page at a time."""
        wanted, page = min(size * _POOL, _MAX_POOL), self._settings.page_size
        wanted = max(wanted, size)
        query, found = yql.hits(self._schema, condition, order), list[Content]()
        for offset in range(0, wanted, page):
            asked = min(page, wanted - offset)
            hits = self._page(query, asked, offset)
            found += [self._content(fields) for fields in hits]
            if len(hits) < asked:
                break
        return found

    def _page(self, query: str, hits: int, offset: int) -> list[dict[str, Any]]:
        answer = self._ask(query, hits=hits, offset=offset)
        return [hit["fields"] for hit in answer["root"].get("children", ()) if "fields" in hit]

    def _groups(self, query: str) -> dict[str, list[Content]]:
        return {
            value: [self._content(fields) for fields in hits]
            for value, hits in _groups_in(self._ask(query, hits=0)["root"])
        }

    def _content(self, fields: Mapping[str, Any]) -> Content:
        given = {name: fields.get(theirs) for name, theirs in self._names.items()}
        modality = str(given["modality"] or "").upper()
        if modality not in MODALITIES or not given["id"]:
            raise BackendError(
                f"Vespa ({self.described}): the record {given['id']!r} has the modality "
                f"{given['modality']!r}, which is none of {', '.join(MODALITIES)}; map the fields "
                "of your schema in routing.backend.fields."
            )
        seconds = _seconds(given["created_at"])
        created = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None) if seconds else None
        return Content(
            id=str(given["id"]),
            modality=modality,
            title=str(given["title"] or ""),
            description=str(given["description"] or ""),
            transcript=str(given["transcript"] or ""),
            created_at=created.isoformat() if created else "",
            entities=tuple(map(str, given["entities"] or ())),
        )

    def _ask(self, query: str, *, hits: int, offset: int = 0) -> dict[str, Any]:
        import httpr
        from requests.exceptions import HTTPError
        from vespa.application import VespaSync
        from vespa.exceptions import VespaError

        timeout = self._settings.timeout
        body = {"yql": query, "hits": hits, "offset": offset, "timeout": f"{timeout:g}s"}
        try:
            session: Any = VespaSync(self._app, session=self._client, num_retries_429=0)
            answer: dict[str, Any] = session.query(body=body).json
        except httpr.TimeoutException as error:
            raise self._slow() from error
        except (HTTPError, VespaError) as error:
            http = error if isinstance(error, HTTPError) else error.__cause__
            response = getattr(http, "response", None)
            if response is not None and response.status_code in (408, 504):
                raise self._slow() from error
            raise self._down(error) from error
        except httpr.RequestError as error:
            if fault := tls_fault(self._settings.url, self._files, timeout):
                raise BackendError(f"Vespa ({self.described}) cannot be asked: {fault}") from error
            raise self._down(error) from error
        except (RuntimeError, OSError, ValueError) as error:
            # RuntimeError: what the client says of a body that is no JSON.
            raise self._down(error) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("root"), dict):
            raise self._down(ValueError("the answer is none of Vespa's"))
        if errors := answer["root"].get("errors"):
            if any(one.get("code") == _TIMEOUT_CODE for one in errors):
                raise self._slow()
            raise self._down(ValueError(str(errors[0].get("message") or errors[0])))
        return answer

    def _slow(self) -> BackendSlowError:
        return BackendSlowError(
            f"Vespa ({self.described}) did not answer within {self._settings.timeout:g} s; sample "
            "less, or raise routing.backend.timeout."
        )

    def _down(self, error: Exception) -> BackendError:
        told = str(error).strip().partition("\n")[0][:300]
        return BackendError(
            f"Vespa ({self.described}) does not answer: {told}. Start one (docker run --detach "
            "--publish 8080:8080 --publish 19071:19071 vespaengine/vespa) with your application "
            "deployed, or name another in routing.backend.url."
        )


def _groups_in(node: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each group's value with the fields of its hits."""
    for child in node.get("children", ()):
        if "value" in child:
            yield str(child["value"]), list(_hits_in(child))
        else:
            yield from _groups_in(child)


def _hits_in(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for child in node.get("children", ()):
        if "children" in child:
            yield from _hits_in(child)
        elif "fields" in child:
            yield child["fields"]


def _seconds(value: Any) -> int | None:
    """Seconds since 1970 of a record's time, which Vespa keeps as a number; None without one."""
    return int(value) if isinstance(value, int | float) and value > 0 else None
