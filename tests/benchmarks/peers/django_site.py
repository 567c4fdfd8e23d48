"""The usual way to store webhooks: a Django view under gunicorn, without any middleware.

`python -m gunicorn tests.benchmarks.peers.django_site:application --worker-class gthread`
"""

import hmac
import os

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from shared.settings import build_database_settings

if not settings.configured:
    settings.configure(
        DATABASES={"default": build_database_settings(os.environ["DATABASE_URL"])},
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[],
        SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
    )
    django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import models
from django.utils import timezone

SECRET = os.environ.get("META_APP_SECRET", "").encode()


class Webhook(models.Model):
    """A row of the table of all peers."""

    body = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        """The table that the benchmark creates."""

        app_label = "benchmark"
        managed = False
        db_table = "benchmark_webhook"

    def __str__(self) -> str:
        return f"webhook {self.pk}"


def receive_webhook_view(request: HttpRequest) -> HttpResponse:
    """Check the signature, store the body, and answer."""
    expected = "sha256=" + hmac.digest(SECRET, request.body, "sha256").hex()
    if not hmac.compare_digest(request.headers.get("X-Hub-Signature-256", ""), expected):
        return HttpResponse(status=401)
    Webhook(body=request.body, received_at=timezone.now()).save()
    return HttpResponse(headers={"Content-Length": "0"})


def ready_view(_: HttpRequest) -> HttpResponse:
    """Answer, which shows that the server is ready."""
    return HttpResponse()


urlpatterns: list[URLPattern] = [path("webhook", receive_webhook_view), path("ready", ready_view)]
application = get_wsgi_application()
