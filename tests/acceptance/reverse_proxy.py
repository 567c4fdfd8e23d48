"""Caddy and nginx with the files of `deploy`: only ports, names and certificates are replaced."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from deploy.child_processes import LOOPBACK_HOST, ChildProcess, ChildProcesses, find_free_ports
from shared.core.config import PROJECT_ROOT
from tests.conftest import skip_or_fail
from tests.waiting import wait_until

PROXIES: Final = ("caddy", "nginx")
SYSTEM_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
"""Where programs are looked for; nginx is in a folder for administrators."""

CADDY_TEST_OPTIONS: Final = """\
{
	admin off
	default_bind 127.0.0.1
	local_certs
	skip_install_trust
	auto_https disable_redirects
}
"""
NGINX_TEST_FRAME: Final = """\
user root;
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/raffle.conf;
}}
"""


@dataclass(frozen=True)
class ReverseProxy:
    """A reverse proxy that runs.

    Attributes:
        name: `caddy` or `nginx`.
        child: its process.
        webhook: URL of the webhook, on the name that is for Meta.
        backoffice: URL of the name that is for people and programs.
        trust: TLS settings that accept its certificate.

    """

    name: str
    child: ChildProcess
    webhook: str
    backoffice: str
    trust: ssl.SSLContext

    @property
    def hooks(self) -> str:
        """Return the URL of the name that is for Meta."""
        return self.webhook.removesuffix("/webhook")


@dataclass(frozen=True)
class Upstreams:
    """Ports of the processes behind a proxy, two of each kind."""

    gateways: Sequence[int]
    backoffices: Sequence[int]

    def as_replacements(self) -> dict[str, str]:
        """Return the addresses in the shipped files and those of the test."""
        shipped = (8080, 8081, 8000, 8001)
        ports = (*self.gateways, *self.backoffices)
        return {
            f"{LOOPBACK_HOST}:{written}": f"{LOOPBACK_HOST}:{port}"
            for written, port in zip(shipped, ports, strict=True)
        }


def start_proxy(
    name: str, *, children: ChildProcesses, upstreams: Upstreams, folder: Path
) -> ReverseProxy:
    """Start a proxy and wait until both of its names answer.

    Args:
        name: `caddy` or `nginx`.
        children: starts the process.
        upstreams: the processes behind it, which are ready.
        folder: an empty folder for its files.

    """
    program = find_program(name)
    hooks, backoffice, redirect = find_free_ports(0, 0, 0)
    if name == "caddy":
        command = _configure_caddy(folder, upstreams, hooks=hooks, backoffice=backoffice)
        certificate = folder / "caddy/pki/authorities/local/root.crt"
    else:
        command = _configure_nginx(
            folder, upstreams, hooks=hooks, backoffice=backoffice, redirect=redirect
        )
        certificate = folder / "localhost.crt"
    child = children.start(
        name,
        "env",
        *(f"XDG_{kind}_HOME={folder}" for kind in ("DATA", "CONFIG")),
        program,
        *command,
    )
    proxy = ReverseProxy(
        name,
        child,
        webhook=f"http://{LOOPBACK_HOST}:{hooks}/webhook",
        backoffice=f"https://localhost:{backoffice}",
        trust=_load_certificate(certificate),
    )
    wait_until(lambda: _is_answering(proxy))
    return proxy


def find_program(name: str) -> str:
    """Return the path of an installed program; skip the test without it, or fail it in CI."""
    path = shutil.which(name, path=SYSTEM_PATH)
    if path is None:
        skip_or_fail(f"{name} is not installed (apt-get install caddy nginx-light openssl)")
    return str(path)


def _configure_caddy(
    folder: Path, upstreams: Upstreams, *, hooks: int, backoffice: int
) -> list[str]:
    sites = {
        "hooks.raffles.example {": f"http://{LOOPBACK_HOST}:{hooks} {{",
        "\nraffles.example {": f"\nhttps://localhost:{backoffice} {{",
        "Host raffles.example": "Host localhost",
    }
    shipped = (PROJECT_ROOT / "deploy/caddy/Caddyfile").read_text()
    file = folder / "Caddyfile"
    file.write_text(
        CADDY_TEST_OPTIONS + _replace_each(shipped, sites | upstreams.as_replacements())
    )
    return ["run", "--config", str(file), "--adapter", "caddyfile"]


def _configure_nginx(
    folder: Path, upstreams: Upstreams, *, hooks: int, backoffice: int, redirect: int
) -> list[str]:
    names = {
        "listen 80;": f"listen {LOOPBACK_HOST}:{redirect};",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl;\n": "",
        "443 ssl;\n    server_name hooks.": f"{LOOPBACK_HOST}:{hooks};\n    server_name hooks.",
        "443 ssl;": f"{LOOPBACK_HOST}:{backoffice} ssl;",
        "/var/log/nginx/raffle.log": f"{folder}/access.log",
        **{
            f"/etc/letsencrypt/live/{name}/{shipped}.pem": f"{folder}/localhost.{ending}"
            for name in ("hooks.raffles.example", "raffles.example")
            for shipped, ending in (("fullchain", "crt"), ("privkey", "key"))
        },
    }
    shipped = (PROJECT_ROOT / "deploy/nginx/raffle.conf").read_text()
    (folder / "raffle.conf").write_text(_replace_each(shipped, names | upstreams.as_replacements()))
    (folder / "nginx.conf").write_text(NGINX_TEST_FRAME.format(folder=folder))
    _make_certificate(folder)
    return ["-c", str(folder / "nginx.conf")]


def _replace_each(text: str, replacements: Mapping[str, str]) -> str:
    """Replace each key by its value, in order; every key must be there."""
    for written, meant in replacements.items():
        assert written in text, f"the shipped file has no {written!r}"
        text = text.replace(written, meant)
    return text


def _make_certificate(folder: Path) -> None:
    """Write a certificate of `localhost` that is its own authority."""
    subprocess.run(
        [
            *(find_program("openssl"), "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "localhost.key"), "-out", str(folder / "localhost.crt")),
        ],
        check=True,
        capture_output=True,
    )


def _load_certificate(file: Path) -> ssl.SSLContext:
    """Return TLS settings that trust a certificate, once it has been written."""

    def load() -> ssl.SSLContext | None:
        try:
            return ssl.create_default_context(cafile=str(file))
        except (FileNotFoundError, ssl.SSLError):
            return None

    trust = wait_until(load)
    assert trust is not None
    return trust


def _is_answering(proxy: ReverseProxy) -> bool:
    try:
        with httpx.Client(trust_env=False, verify=proxy.trust) as http:
            hooks = http.get(proxy.webhook).status_code  # 403: the gateway's, without its word
            return hooks == 403 and http.get(f"{proxy.backoffice}/readyz").is_success
    except httpx.TransportError:
        return False
