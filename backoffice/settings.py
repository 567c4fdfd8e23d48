"""Django settings of the back office: admin, API, sessions and static files."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import drf_spectacular_sidecar
from django.utils.csp import CSP
from whitenoise.compress import Compressor  # type: ignore[import-untyped]

from backoffice.api.openapi import spectacular_settings
from backoffice.ui import jazzmin
from shared.settings import *

BASE = Path(__file__).parent
PUBLIC_URL = configuration.public_url
_public = urlsplit(PUBLIC_URL)

ALLOWED_HOSTS = [_public.hostname, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]

INSTALLED_APPS = [
    "jazzmin",
    "backoffice.apps.AdminConfig",
    "backoffice.apps.BackofficeConfig",
    "backoffice.api.apps.ApiConfig",
    "backoffice.maintenance.apps.MaintenanceConfig",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    *SHARED_APPS,
]
ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "backoffice.api.middleware.reject_malformed_requests",
    "backoffice.staticfiles.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "backoffice.accounts.middleware.SecondFactorMiddleware",
    "backoffice.accounts.sessions.extend_active_sessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "backoffice.error_views.render_blank_errors",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.accounts.middleware.set_permissions_policy",
    "axes.middleware.AxesMiddleware",  # last: it replaces the login page
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {
                "automation": "backoffice.automation.template_filters",
                "draws": "backoffice.raffles.draws.template_filters",
            },
        },
    },
]

STATIC_URL = "/static/"
STATIC_ROOT = BASE / "staticfiles"  # not in var/: a volume mounted there would hide it
STATICFILES_DIRS = [
    BASE / "static",
    # The sidecar contains two API viewers; only Swagger UI is used.
    (
        "swagger-ui",
        Path(drf_spectacular_sidecar.__file__).parent / spectacular_settings.SWAGGER_UI_FOLDER,
    ),
]
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
STORAGES["staticfiles"] = {"BACKEND": "backoffice.staticfiles.StaticFilesStorage"}
# Before `manage collectstatic` has run, static files are served from the packages.
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it rejects a login during a lockout
    "backoffice.people.backends.People",
]
# A lockout is for one user name at one IP address: nobody can lock out another user, and one user
# cannot lock out an office that shares an address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying again does not make it longer
AXES_CLIENT_IP_CALLABLE = "backoffice.client_ip.get_client_ip"
AXES_LOCKOUT_CALLABLE = "backoffice.accounts.lockout.lockout_view"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # a user's page shows the last login
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = configuration.brand_name

JAZZMIN_SETTINGS = jazzmin.SETTINGS
JAZZMIN_UI_TWEAKS = jazzmin.UI_TWEAKS

TIME_ZONE = configuration.time_zone  # for times that do not belong to a raffle

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds since the last use: accounts.sessions
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "backoffice.error_views.csrf_failure_view"
SESSION_COOKIE_SECURE = configuration.is_https
CSRF_COOKIE_SECURE = configuration.is_https
SECURE_HSTS_SECONDS = 24 * 60 * 60 if configuration.is_https else 0
# The proxy that ends TLS must set this header itself, whatever the client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if configuration.is_https else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],  # small images in Bootstrap's and Jazzmin's style sheets
    "object-src": [CSP.NONE],
    "frame-src": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "connect-src": [CSP.SELF],
}

API_REQUESTS_PER_MINUTE = configuration.api_requests_per_minute
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "throttle": {  # in files, which all processes share
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": configuration.media_folder / "throttle",
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "backoffice.api.authentication.ApiTokenAuthentication",
        "backoffice.api.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["backoffice.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["backoffice.api.throttling.CallerRateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "backoffice.api.parsers.StrictJsonParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "backoffice.api.problems.handle_api_exception",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "backoffice.api.openapi.schema.OperationSchema",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = spectacular_settings.SETTINGS
