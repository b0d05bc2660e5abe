"""The interface's OpenAPI document, its page and `docs/api.md`: valid, whole, made from what answers."""

import json
import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.loading import load
from dashboards.api import document as documenting
from dashboards.api.interface import RESOURCES
from dashboards.api.openapi import document
from dashboards.api.page import page
from dashboards.api.parameters import fields_of
from dashboards.views import LANGUAGES
from tests.support.interface_world import JSON, interface

CATALOGUE = load()
TOLD = ("description", "summary", "title")
DOCUMENTS = {language: document(RESOURCES, CATALOGUE, language) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_openapi(language: str) -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(DOCUMENTS[language]))).validate()


def test_both_languages_describe_the_same() -> None:
    def shape(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: shape(value) for name, value in node.items() if name not in TOLD}
        return [shape(value) for value in node] if isinstance(node, list) else node

    zh, en = (DOCUMENTS[language] for language in LANGUAGES)
    assert shape(zh) == shape(en)
    described = re.findall(r'"(?:description|summary|title)": "([^"]*)"', json.dumps(en, ensure_ascii=False))
    assert len(described) > 100
    assert not re.search("[\u4e00-\u9fff]", " ".join(described))


def test_every_list_says_all_that_it_takes_and_gives() -> None:
    paths = DOCUMENTS["en"]["paths"]
    assert list(paths) == [f"/{resource.name}" for resource in RESOURCES]
    for resource in RESOURCES:
        operation = paths[f"/{resource.name}"]["get"]
        assert [one["name"] for one in operation["parameters"]] == list(fields_of(resource.parameters))
        row = operation["responses"]["200"]["content"][JSON]["schema"]["properties"]["rows"]["items"]["properties"]
        assert list(row) == [column.name for column in resource.columns]
        assert set(resource.key) <= set(row)


class Reader(HTMLParser):
    """What a page asks for, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.said += f"{data}\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_explains_all_of_it_without_asking_anybody_else(language: str) -> None:
    described = DOCUMENTS[language]
    read = Reader(page(described, CATALOGUE, language))
    assert all(address.startswith("/") and not address.startswith("//") for address in read.addresses)
    assert not {"script", "img", "iframe"} & set(read.tags)
    for path, item in described["paths"].items():
        operation = item["get"]
        row = operation["responses"]["200"]["content"][JSON]["schema"]["properties"]["rows"]["items"]["properties"]
        meanings = [one["description"] for one in (*operation["parameters"], *row.values())]
        for text in (f"GET /api/v1{path}", operation["summary"], *meanings, *row):
            assert text in read.said, text


def test_what_words_say_is_text_on_the_page() -> None:
    described = json.loads(json.dumps(DOCUMENTS["en"]).replace("Id of the metric", "<script>alert(1)</script>"))
    text = page(described, CATALOGUE, "en")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_document_and_page_are_served_in_both_languages(tmp_path: Path) -> None:
    with interface(tmp_path) as house:
        token = house.token("executive")
        for language, path in product(LANGUAGES, ("/api/v1/", "/api/v1")):
            answer = house.get(f"{path}?lang={language}", token)
            assert (answer.status_code, answer.text) == (200, page(DOCUMENTS[language], house.catalogue, language))
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert house.get("/api/v1/", token).text == page(DOCUMENTS["zh"], house.catalogue, "zh")
        for language in LANGUAGES:
            assert house.get(f"/api/v1/openapi.json?lang={language}", token).json() == DOCUMENTS[language]
        assert house.get("/api/v1/openapi.json", token).json() == DOCUMENTS["en"]
        wrong = house.get("/api/v1/openapi.json?lang=fr", token)
        assert (wrong.status_code, wrong.json()["available"]) == (400, ["zh", "en"])


def test_the_page_in_docs_is_what_the_interface_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert documenting.main(["--check"]) == 0
    monkeypatch.setattr(documenting, "PAGE", tmp_path / "api.md")
    assert documenting.main(["--check"]) == 1
    assert "python -m dashboards.api.document" in capsys.readouterr().out
    assert documenting.main([]) == 0
    assert documenting.main(["--check"]) == 0
