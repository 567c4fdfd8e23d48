"""Django settings of the gateway: the ORM and nothing else."""

from shared.core.config import GatewaySettings

GatewaySettings.read()  # first, so that one start names everything that is missing

from shared.settings import *
