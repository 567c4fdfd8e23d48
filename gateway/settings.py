"""Django settings of the gateway: the ORM and nothing else."""

from shared.core.config import GatewaySettings

GatewaySettings.from_environment()  # first, so that a start names everything missing at once

from shared.settings import *
