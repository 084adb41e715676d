"""The files of the graph over HTTP: reading is open, like the graph; keeping them belongs to drafting a change."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.domain.change_rules import Refusal
from services.registry.entrypoints.change_answers import json_answer, problem_of
from services.registry.entrypoints.change_requests import Watch, Writer, actor_of, read_form
from services.registry.entrypoints.forms import VERSION_MAX
from services.registry.ports import Begin, BeginDocuments
from services.registry.usecases import read_head
from services.registry.usecases.documents import keep_files, read_files
from shared.clock import Clock
from shared.http.params import PathId
from shared.http.problems import not_found
from shared.telemetry import Telemetry

Version = Annotated[int | None, Query(ge=1, le=VERSION_MAX, description="the files as of this version of the graph")]


class FilesForm(BaseModel):
    """The body of `PUT /v1/changes/{id}/documents`: texts by path; an empty text says that the file is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    files: dict[str, str] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class DocumentRoutes:
    """The routes of the files."""

    begin: Begin
    documents: BeginDocuments
    clock: Clock
    telemetry: Telemetry

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["documents"])
        router.add_api_route("/v1/graph/documents", self.read)
        router.add_api_route("/v1/changes/{change_id}/documents", self.keep, methods=["PUT"])
        return router

    async def read(self, version: Version = None) -> Response:
        """The files in which the graph was written, up to a version: `{version, files: {path: text}}`.

        Objects that changed without a file are not in them: whoever exports puts them in.
        """
        head = await read_head(begin=self.begin)
        if head is None or (version is not None and version > head.version):
            raise not_found()
        found = await read_files(version or head.version, begin=self.documents)
        return json_answer({"version": version or head.version, "files": {p: t.decode() for p, t in found.items()}})

    async def keep(self, request: Request, change_id: PathId, principal: Writer) -> Response:
        """Keep the files of a change that is not reviewed yet; the same again finds them as asked: `{kept}`."""
        form = await read_form(request, FilesForm)
        files = {path: text.encode() for path, text in form.files.items()}
        with Watch(self.telemetry).unit("change.files-kept", principal.subject) as line:
            line["change_id"] = change_id
            kept = await keep_files(
                change_id, files, actor_of(principal), begin=self.documents, clock=self.clock
            )  # fmt: skip
        if kept is None:
            raise not_found()
        if isinstance(kept, Refusal):
            raise problem_of(kept)
        return json_answer({"kept": kept})
