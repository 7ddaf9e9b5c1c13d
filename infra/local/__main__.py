"""`python -m infra.local`: the whole product on loopback, until Ctrl-C."""

import argparse
import importlib.util
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.local.cloud import LocalCloud
from infra.local.embedded import REPOSITORY
from infra.local.websocket.server import IDLE_SECONDS, LIFE_SECONDS
from shared.errors import MalgilError

WEBHOOK_PORT: Final = 8790
"""Where `malgil webhook listen` waits unless told otherwise."""
SEED_MODULE: Final = "infra.local.seed"
CHECK_SECONDS: Final = 0.5
LONGEST_HURRY: Final = 900
"""SQS: the longest delay in seconds; more would be none."""


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    cloud = LocalCloud(
        template=options.template,
        state=options.state,
        http_port=options.http_port,
        aws_port=options.aws_port,
        socket_port=options.socket_port,
        lambda_port=options.lambda_port,
        example_port=options.example_port,
        webhook_ports=options.webhook_port or (WEBHOOK_PORT,),
        parameters=dict(options.parameter),
        console=sys.stdout,
        hurry=options.hurry,
        socket_idle_seconds=options.socket_idle,
        socket_life_seconds=options.socket_life,
    )
    try:
        with cloud:
            sys.stdout.write(
                f"HTTP API {cloud.http_url}\nAWS      {cloud.aws_endpoint}\nLambda   {cloud.lambda_endpoint}\n"
            )
            if options.seed:
                _seed(cloud)
            sys.stdout.write("Ready. Ctrl-C stops it.\n")
            sys.stdout.flush()
            while not stopped.wait(CHECK_SECONDS):
                if not cloud.running:
                    sys.stderr.write(f"the embedded AWS ended by itself: see {cloud.state / 'logs' / 'aws.log'}\n")
                    return 1
    except MalgilError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--http-port", type=int, default=8787, help="HTTP API; 0 is a free port, here and below")
    parser.add_argument("--aws-port", type=int, default=8788, help="the embedded AWS")
    parser.add_argument("--socket-port", type=int, default=0, help="the WebSocket API")
    parser.add_argument("--lambda-port", type=int, default=0, help="Lambda's Invoke API")
    parser.add_argument(
        "--example-port", type=int, default=8789, help="the demo shop, and the company system behind the example bots"
    )
    parser.add_argument(
        "--webhook-port",
        type=int,
        action="append",
        metavar="PORT",
        help=f"a port of this machine that webhooks may be posted to; may be given again (default {WEBHOOK_PORT})",
    )
    parser.add_argument("--state", type=Path, default=Path(".malgil"), help="folder of data and logs")
    parser.add_argument("--template", type=Path, default=REPOSITORY / "template.yaml")
    parser.add_argument(
        "--parameter", type=_parameter, action="append", default=[], metavar="NAME=VALUE", help="a template parameter"
    )
    parser.add_argument(
        "--hurry",
        type=_number_to(LONGEST_HURRY),
        default=1,
        metavar="N",
        help="messages that wait for a minute or longer wait N times as short: see a webhook's tries in no time",
    )
    for name, most, what in (("idle", IDLE_SECONDS, "a frame"), ("life", LIFE_SECONDS, "an end")):
        parser.add_argument(
            f"--socket-{name}",
            type=_number_to(int(most)),
            default=int(most),
            metavar="SECONDS",
            help=f"a WebSocket without {what} for so long is closed (default %(default)s, as API Gateway's)",
        )
    parser.add_argument("--no-seed", dest="seed", action="store_false", help="bring in no example bots")
    return parser.parse_args(arguments)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _number_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most}")
        return int(text)

    return number


def _seed(cloud: LocalCloud) -> None:
    """Brings in the example bots, when this installation has them."""
    if importlib.util.find_spec(SEED_MODULE) is not None:
        importlib.import_module(SEED_MODULE).seed(cloud)


if __name__ == "__main__":
    sys.exit(main())
