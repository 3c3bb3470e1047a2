"""What is shipped to run the line with: the compose file, its proxy, the image and the systemd units say what the line
needs. There is no Docker here: files are read, and each rule finds a file that breaks it."""

import re
import shlex
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.cli.listening import FIRST_PASSED
from ivr.cli.serving import ANSWERS_WITHIN
from ivr.line.edge import MAX_BODY
from ivr.line.webhooks import build_router

ROOT = Path(__file__).parent.parent
RUN = "/run/porchlight"
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\Z")
UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
Compose = dict[str, Any]


def compose() -> Compose:
    found: Compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def size(written: str) -> int:
    return int(written[:-1]) * UNITS[written[-1].lower()]


def seconds(written: str) -> int:
    return int(written.removesuffix("s"))


# ---- rules: each yields what is wrong ----


def every_service_is_confined(found: Compose) -> Iterator[str]:
    for name, service in found["services"].items():
        if not (service.get("read_only") and service.get("init") and service.get("cap_drop") == ["ALL"]):
            yield f"{name}: read_only, init and cap_drop"
        if "no-new-privileges:true" not in service.get("security_opt", ()):
            yield f"{name}: no-new-privileges"


def every_service_is_bounded(found: Compose) -> Iterator[str]:
    for name, service in found["services"].items():
        if service.get("ulimits", {}).get("core") != 0 or not service["ulimits"].get("nofile"):
            yield f"{name}: ulimits"
        if not service.get("mem_limit") or service.get("memswap_limit") != service["mem_limit"]:
            yield f"{name}: memory, and no swap"
        if not service.get("pids_limit"):
            yield f"{name}: pids_limit"
        logging = service.get("logging", {})
        if logging.get("driver") != "none" and not logging.get("options", {}).get("max-size"):
            yield f"{name}: a log without end"


def keys_are_never_on_a_disk_and_survive_the_container(found: Compose) -> Iterator[str]:
    for name in ("line", "ivr", "run-folder"):
        mounts = [one for one in found["services"][name]["volumes"] if isinstance(one, dict)]
        if {"type": "bind", "source": RUN, "target": RUN, "bind": {"create_host_path": True}} not in mounts:
            yield f"{name}: {RUN} of the host"
        if any(one.startswith(RUN) for one in found["services"][name].get("tmpfs", ())):
            yield f"{name}: a tmpfs that goes with the container"
    for name in ("line", "ivr"):
        if found["services"][name]["environment"]["IVR_RUN_DIR"] != RUN:
            yield f"{name}: IVR_RUN_DIR"
        if found["services"][name]["depends_on"]["run-folder"] != {"condition": "service_healthy"}:
            yield f"{name}: begins before its folder is there"


def the_folder_is_the_line_s_also_after_a_reboot(found: Compose) -> Iterator[str]:
    service = found["services"]["run-folder"]
    user = re.search(r"useradd --uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert user is not None
    if f"chown {user[1]}:{user[1]} {RUN}" not in service["command"][0]:
        yield "another user than the image's"
    if f"chmod 0700 {RUN}" not in service["command"][0] or set(service["cap_add"]) != {"CHOWN", "FOWNER"}:
        yield "its mode, or more than it needs"
    if service["restart"] != "unless-stopped" or not service["command"][0].endswith("exec sleep infinity"):
        yield "a reboot"  # Docker starts again what was running, and nothing else
    if service["network_mode"] != "none":
        yield "a network"


def health_asks_whether_it_is_ready(found: Compose) -> Iterator[str]:
    words = " ".join(found["services"]["line"]["healthcheck"]["test"])
    path = re.search(r"http://127\.0\.0\.1:8000(/\w+)", words)
    unused: Any = None  # the routes are the same whatever stands behind them
    routes = {route.path for route in build_router(_Any(), _Any(), unused, ROOT, unused, _Any()).routes}  # type: ignore[arg-type, attr-defined]
    if path is None or path[1] not in routes or path[1] != "/readyz":
        yield "the healthcheck"


class _Any:
    """Whatever a router is made of."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_: None


def what_commands_print_lands_in_no_log(found: Compose) -> Iterator[str]:
    if found["services"]["ivr"]["logging"] != {"driver": "none"}:
        yield "the log of commands"
    if "ports" in found["services"]["ivr"]:
        yield "a port of a command"
    readme = (ROOT / "README.md").read_text("utf-8")
    yield from re.findall(r"docker compose (?:run|exec)[^\n]* line [^\n]*", readme)


def it_has_time_to_answer_before_it_is_killed(found: Compose) -> Iterator[str]:
    if seconds(found["services"]["line"]["stop_grace_period"]) <= ANSWERS_WITHIN + 5:
        yield "stop_grace_period"


def images_are_named_by_digest(found: Compose) -> Iterator[str]:
    built = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    pulled = [service["image"] for service in found["services"].values() if "build" not in service]
    yield from (image for image in (*built, *pulled) if not DIGEST.search(image))


def nothing_but_the_proxy_is_reached_from_outside(found: Compose) -> Iterator[str]:
    for name, service in found["services"].items():
        if name != "proxy":
            yield from (port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:"))


RULES = (
    every_service_is_confined,
    every_service_is_bounded,
    keys_are_never_on_a_disk_and_survive_the_container,
    the_folder_is_the_line_s_also_after_a_reboot,
    health_asks_whether_it_is_ready,
    what_commands_print_lands_in_no_log,
    it_has_time_to_answer_before_it_is_killed,
    images_are_named_by_digest,
    nothing_but_the_proxy_is_reached_from_outside,
)
Rule = Callable[[Compose], Iterator[str]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_compose_file_keeps(rule: Rule) -> None:
    assert list(rule(compose())) == []


MUTANTS: dict[Rule, tuple[str, Callable[[Compose], object]]] = {
    every_service_is_confined: ("proxy", lambda of: of.pop("cap_drop")),
    every_service_is_bounded: ("line", lambda of: of.pop("pids_limit")),
    keys_are_never_on_a_disk_and_survive_the_container: ("line", lambda of: of["volumes"].pop(1)),
    the_folder_is_the_line_s_also_after_a_reboot: ("run-folder", lambda of: of.update(restart="no")),
    health_asks_whether_it_is_ready: (
        "line",
        lambda of: of["healthcheck"].update(test=["curl http://127.0.0.1:8000/healthz"]),
    ),
    what_commands_print_lands_in_no_log: ("ivr", lambda of: of["logging"].update(driver="local")),
    it_has_time_to_answer_before_it_is_killed: ("line", lambda of: of.update(stop_grace_period="10s")),
    images_are_named_by_digest: ("proxy", lambda of: of.update(image="caddy:2")),
    nothing_but_the_proxy_is_reached_from_outside: ("line", lambda of: of.update(ports=["8000:8000"])),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_compose_file_that_does_not_is_found(rule: Rule) -> None:
    broken = deepcopy(compose())
    service, damage = MUTANTS[rule]
    damage(broken["services"][service])
    assert list(rule(broken)) != []


# ---- the proxy ----


def test_the_proxy_lets_webhooks_wait_writes_no_requests_down_and_takes_what_the_line_takes() -> None:
    text = re.sub(r"^\s*#.*", "", (ROOT / "deploy" / "Caddyfile").read_text("utf-8"), flags=re.M)
    said = [tuple(shlex.split(line)) for line in text.splitlines() if line.strip()]
    assert ("lb_try_duration", "10s") in said
    assert ("keepalive", "off") in said, "no connection that the line closes just now"
    assert ("method", "GET", "POST") in said, "also what was delivered and not answered"
    whole = {f"{MAX_BODY // 1024}KiB"}
    assert {words[1] for words in said if words[0] in ("max_size", "request_buffers")} == whole
    assert {words for words in said if words[0] in ("log", "include", "output")} == {
        ("log", "{"),
        ("include", "tls"),
        ("output", "stderr"),
    }
    assert all(any(words[0] == limit for words in said) for limit in ("read_header", "read_body", "write", "idle"))
    assert not [words for words in said if words[0] in ("rewrite", "uri", "handle_path")], "signatures cover the URL"


# ---- systemd ----


def unit(name: str) -> ConfigParser:
    found = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    found.optionxform = str  # type: ignore[assignment, method-assign]  # as they are written
    found.read_string((ROOT / "deploy" / name).read_text("utf-8"))
    return found


def test_systemd_holds_one_socket_and_keeps_the_run_folder_while_the_line_is_restarted() -> None:
    listens, service = unit("porchlight.socket")["Socket"], unit("porchlight.service")["Service"]
    assert listens["ListenStream"] == "127.0.0.1:8000"
    assert FIRST_PASSED == 3
    assert unit("porchlight.service")["Unit"]["Requires"] == "porchlight.socket"
    assert (service["RuntimeDirectory"], service["RuntimeDirectoryPreserve"]) == ("porchlight", "yes")
    assert service["RuntimeDirectoryMode"] == "0700"
    assert f"IVR_RUN_DIR={RUN}" in service["Environment"]
    assert int(service["TimeoutStopSec"]) > ANSWERS_WITHIN + 5
    assert (service["LimitCORE"], service["MemorySwapMax"], service["NoNewPrivileges"]) == ("0", "0", "yes")
    assert service["CapabilityBoundingSet"] == ""
    assert "@resources" not in service["SystemCallFilter"], "the line lowers its own limits"


def test_the_line_has_the_same_room_in_both() -> None:
    service, line = unit("porchlight.service")["Service"], compose()["services"]["line"]
    assert int(service["LimitNOFILE"]) == line["ulimits"]["nofile"]
    assert size(service["MemoryMax"]) == size(line["mem_limit"])
    assert int(service["TasksMax"]) == line["pids_limit"]
