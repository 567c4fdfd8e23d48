"""Django settings of the gateway: the ORM and nothing else."""

from shared.core.config import GatewaySettings

GatewaySettings.read()  # first, so that a start names everything that is missing at once

from shared.settings import *
