"""Registration of all model admins; `admin.autodiscover` imports this module."""

import backoffice.accounts.admin
import backoffice.automation.delivery_admin
import backoffice.automation.endpoint_admin
import backoffice.automation.event_admin
import backoffice.automation.token_admin
import backoffice.dashboard.activity_admin
import backoffice.messaging.account_admin
import backoffice.messaging.alarm_admin
import backoffice.messaging.contacts.contact_admin
import backoffice.messaging.inbox_admin
import backoffice.messaging.outbox_admin
import backoffice.orders.admin
import backoffice.orders.proof_admin
import backoffice.raffles.admin
import backoffice.raffles.ledger_admin  # noqa: F401
