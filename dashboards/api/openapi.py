"""The OpenAPI 3.1 document of the interface, in either language, made from the declarations that answer it."""

from collections.abc import Mapping, Sequence
from typing import Any

from config.catalogue import Catalogue
from dashboards.access.sign_in import COOKIE
from dashboards.api.formats import FORMATS
from dashboards.api.resources import Resource
from dashboards.api.tables import Column, Kind
from wording.words import Words

VERSION = "1"
ROOT_PATH = f"/api/v{VERSION}"
KINDS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string"},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.TIME: {"type": ["string", "null"], "format": "date-time"},
}
PROBLEMS = ("400", "401", "403", "406", "503")
Document = dict[str, Any]


def document(resources: Sequence[Resource], catalogue: Catalogue, language: str) -> Document:
    """The whole document; its descriptions are the words `api.…`."""
    words = Words(catalogue, language)
    return {
        "openapi": "3.1.0",
        "info": {"title": words("api.title"), "version": VERSION, "description": words("api.introduction")},
        "servers": [{"url": ROOT_PATH}],
        "security": [{"token": []}, {"session": []}],
        "paths": {f"/{resource.name}": {"get": _operation(resource, words)} for resource in resources},
        "components": _components(words),
    }


def _operation(resource: Resource, words: Words) -> Document:
    return {
        "operationId": resource.name,
        "summary": words(f"api.resource.{resource.name}"),
        "x-action": resource.action.value,
        "parameters": _parameters(resource, words),
        "responses": {
            "200": _rows(resource, words),
            "304": {"description": words("api.status.304")},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in PROBLEMS},
        },
    }


def _parameters(resource: Resource, words: Words) -> list[Document]:
    schema = resource.parameters.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": words(_word("parameter", name, resource, words)),
            "schema": {key: value for key, value in described.items() if key != "title"},
        }
        for name, described in schema["properties"].items()
    ]


def _rows(resource: Resource, words: Words) -> Document:
    schemas: Mapping[str, Document] = {
        "application/json": _object(resource, words),
        "text/csv": {"type": "string"},
    }
    return {
        "description": words("api.status.200"),
        "headers": {
            name: {"description": words(f"api.header.{name.lower()}"), "schema": {"type": "string"}}
            for name in ("ETag", "Link")
        },
        "content": {
            known.media_type: {"schema": schemas[known.media_type]} if known.media_type in schemas else {}
            for known in FORMATS
        },
    }


def _object(resource: Resource, words: Words) -> Document:
    row = {
        column.name: {**KINDS[column.kind], "description": _meaning(column, resource, words)}
        for column in resource.columns
    }
    about = {**resource.about, "next": {"type": ["string", "null"]}}
    return {
        "type": "object",
        "properties": {
            **about,
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": row, "required": list(row), "additionalProperties": False},
            },
        },
        "required": [*about, "rows"],
        "additionalProperties": False,
    }


def _meaning(column: Column, resource: Resource, words: Words) -> str:
    return words(_word("column", column.name, resource, words))


def _word(kind: str, name: str, resource: Resource, words: Words) -> str:
    """The key of what a parameter or a column means: in this list where it has words of its own, or else in all."""
    own = f"api.{kind}.{resource.name}.{name}"
    return own if words.has(own) else f"api.{kind}.{name}"


def _components(words: Words) -> Document:
    problem = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "required": ["title", "status", "detail"],
    }
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "schemas": {"Problem": problem},
        "responses": {
            status: {"description": words(f"api.status.{status}"), "content": content} for status in PROBLEMS
        },
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": words("api.security.token")},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": COOKIE,
                "description": words("api.security.session"),
            },
        },
    }
