"""Where everything in the back office is."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from backoffice import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("backoffice.api.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
handler400 = "backoffice.error_views.bad_request"
handler403 = "backoffice.error_views.forbidden"
handler404 = "backoffice.error_views.not_found"
handler500 = "backoffice.error_views.server_error"
