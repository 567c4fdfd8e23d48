"""`python -m deploy.sandbox`: a server of the stand-in for Meta, until it is stopped."""

from typing import Annotated

import typer

from deploy.sandbox import app, uvicorn_server
from deploy.sandbox.options import SandboxBehaviour, SandboxOptions

DEFAULT_OPTIONS: SandboxOptions = SandboxOptions()


def main(
    host: Annotated[str, typer.Option(help="An address of loopback.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8090,
    webhook_url: Annotated[
        str, typer.Option(envvar="SANDBOX_WEBHOOK_URL", help="Where the gateway listens.")
    ] = SandboxBehaviour().webhook_url,
    app_secret: Annotated[
        str, typer.Option(envvar="META_APP_SECRET", help="The first of several signs webhooks.")
    ] = DEFAULT_OPTIONS.app_secret,
    access_token: Annotated[
        str, typer.Option(envvar="META_ACCESS_TOKEN", help="The bearer requests must carry.")
    ] = DEFAULT_OPTIONS.access_token,
    phone_number_id: Annotated[
        str, typer.Option(envvar="META_PHONE_NUMBER_ID", help="Comma-separated for several.")
    ] = DEFAULT_OPTIONS.phone_number_ids[0],
    waba_id: Annotated[
        str, typer.Option(envvar="META_WABA_ID", help="The WhatsApp Business Account.")
    ] = DEFAULT_OPTIONS.waba_id,
    delivery_delay: Annotated[
        float, typer.Option(min=0, help="Seconds until a message reaches the phone.")
    ] = 0,
    status_delay: Annotated[
        float, typer.Option(min=0, help="Seconds until a status is reported.")
    ] = 0,
    media_url_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds an address of a file is good.")
    ] = 300,
) -> None:
    """Play Meta's WhatsApp Cloud API on this machine; deploy/sandbox/README.md describes it."""
    options = SandboxOptions(
        app_secret=_split_list(app_secret)[0],
        access_token=access_token,
        phone_number_ids=_split_list(phone_number_id),
        waba_id=waba_id,
    )
    behaviour = SandboxBehaviour(
        webhook_url=webhook_url,
        delivery_delay=delivery_delay,
        status_delay=status_delay,
        media_url_seconds=media_url_seconds,
    )
    try:
        opened = uvicorn_server.open_loopback_socket(host, port)
    except (uvicorn_server.NotLoopback, OSError) as error:
        typer.echo(f"cannot listen on {host}:{port}: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"The stand-in for Meta listens on {uvicorn_server.format_address(opened)}")
    typer.echo(f"and posts webhooks to {webhook_url}")
    uvicorn_server.build_server(app.build_app(options, behaviour)).run(sockets=[opened])


def _split_list(value: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise typer.BadParameter("must not be empty")
    return parts


if __name__ == "__main__":
    typer.run(main)
