"""Root URL configuration of the back office."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from backoffice import health

admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("backoffice.api.urls")),
    path("healthz", health.healthz_view),
    path("readyz", health.readyz_view),
]
handler400 = "backoffice.error_views.bad_request_view"
handler403 = "backoffice.error_views.forbidden_view"
handler404 = "backoffice.error_views.not_found_view"
handler500 = "backoffice.error_views.server_error_view"
