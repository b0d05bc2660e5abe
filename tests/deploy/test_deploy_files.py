"""What `deploy/` holds is what Compose and Kubernetes read, and names only settings that exist."""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from config.settings import PREFIX, ROOT, Settings

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(file for file in (DEPLOY / "kubernetes").glob("*.yaml") if file.name != "kustomization.yaml")
KUBERNETES = "1.37"


def test_there_are_manifests() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [file.name for file in MANIFESTS]


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_a_manifest_is_what_kubernetes_reads(file: Path) -> None:
    found = [manifest for manifest in yaml.safe_load_all(file.read_text()) if manifest]
    assert found
    for manifest in found:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_what_a_container_mounts_is_there(file: Path) -> None:
    for manifest in yaml.safe_load_all(file.read_text()):
        spec = manifest.get("spec", {})
        pod = spec.get("template", {}).get("spec")
        if pod is None:
            continue
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for one in pod["containers"] for mount in one.get("volumeMounts", [])}
        assert mounted == volumes
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_the_compose_file_is_what_compose_reads() -> None:
    schema = ["--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [Path(sys.executable).parent / "check-jsonschema", *schema, DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_setting_that_stands_there_exists() -> None:
    named = {
        name
        for file in DEPLOY.rglob("*")
        if file.is_file()
        for name in re.findall(rf"{PREFIX}([A-Z_]+[A-Z])", file.read_text(encoding="utf-8"))
    }
    assert {"ROLE", "FACTS_URL", "NATS_URL"} <= named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_pod_scripts_are_shell() -> None:
    scripts = [
        text
        for file in MANIFESTS
        for manifest in yaml.safe_load_all(file.read_text())
        if manifest["kind"] == "ConfigMap"
        for name, text in manifest["data"].items()
        if name.endswith(".sh")
    ]
    assert len(scripts) == 2
    for script in scripts:
        subprocess.run(["sh", "-n"], input=script.encode(), check=True)
