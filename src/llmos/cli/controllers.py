"""Which controllers run, and what each of them needs.

They are ordinary clients of the API, under the ServiceAccount ``llmos-controllers`` in
``llmos-system``. Beside the embedded server all of them run, from when it listens until it stops;
before a cluster the platform's own do (``leading``), for the cluster brings the others.
"""

import asyncio

from llmos.apimachinery.clock import Clock, system_clock
from llmos.cli.inprocess import InProcessTransport
from llmos.client.client import Client
from llmos.client.config import Config, Token
from llmos.client.known import KnownResources
from llmos.controllers.cluster_role_aggregation import cluster_role_aggregation_controller
from llmos.controllers.garbage_collector import garbage_collector_controller
from llmos.controllers.inventory.registration import Inventory
from llmos.controllers.namespace import (
    namespace_content_controller,
    namespace_deletion_controller,
)
from llmos.controllers.namespace_defaults import namespace_defaults_controller
from llmos.controllers.resource_quota import resource_quota_controller
from llmos.controllers.role_template import global_role_controller, role_template_controller
from llmos.controllers.role_template_binding import role_template_binding_controller
from llmos.controllers.user import user_controller
from llmos.controllers.volume_protection import volume_protection_controller
from llmos.reconcile.controller import Controller
from llmos.reconcile.informer import Informers
from llmos.reconcile.metrics import queue_families
from llmos.reconcile.runner import Runner, supervise
from llmos.server.run import Started


def platform_controllers(informers: Informers, clock: Clock) -> list[Controller]:
    """What llmos adds to Kubernetes: users, roles and who has them."""
    client = informers.client
    return [
        role_template_binding_controller(client, informers, clock),
        role_template_controller(client, informers, clock),
        global_role_controller(client, informers, clock),
        user_controller(client, informers, clock),
        namespace_defaults_controller(client, informers, clock),
    ]


def controllers(informers: Informers, clock: Clock, ca_pem: str) -> list[Controller]:
    """Every controller, over shared informers.

    Args:
        informers: What they watch, and the client they write with.
        clock: The time.
        ca_pem: The certificate authority that clients in namespaces are told of.
    """
    client = informers.client
    known = KnownResources(client, clock)
    return [
        *platform_controllers(informers, clock),
        cluster_role_aggregation_controller(client, informers, clock),
        namespace_content_controller(client, informers, clock, ca_pem),
        namespace_deletion_controller(client, informers, clock),
        resource_quota_controller(client, informers, known, clock),
        volume_protection_controller(client, informers, clock),
        garbage_collector_controller(client, informers, known, clock),
    ]


def runner(client: Client, clock: Clock, ca_pem: str) -> Runner:
    """All controllers, ready to run."""
    informers = Informers(client)
    return Runner(informers, controllers(informers, clock, ca_pem))


async def run(started: Started, token: Token) -> None:
    """Run the controllers beside a server, and keep the inventory of its machine."""
    config = Config(started.url, token=token, user_agent="llmos-controllers")
    transport = InProcessTransport(started.app)
    async with Client(config, transport) as client, asyncio.TaskGroup() as tasks:
        inventory = Inventory(client, system_clock, started.data_dir)
        work = runner(client, system_clock, started.ca_pem)
        started.metrics.tell("controllers", lambda: queue_families(work.controllers))
        tasks.create_task(work.run())
        tasks.create_task(supervise("inventory", inventory.run))
