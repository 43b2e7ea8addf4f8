"""Django settings of the relay's role: only its own tables and pages; no staff, sessions, snapshot or key of the core."""

from pathlib import Path
from typing import Any

from kizuki.web import settings as core

_HERE = Path(__file__).parent
KIZUKI_HOME = core.KIZUKI_HOME
KIZUKI_PROXY = core.KIZUKI_PROXY
KIZUKI_LINE_HOST = core.KIZUKI_LINE_HOST
KIZUKI_RELAY_ADDRESS = core.KIZUKI_RELAY_ADDRESS

DEBUG = False
SECRET_KEY = core.SECRET_KEY
ALLOWED_HOSTS = core.ALLOWED_HOSTS
ROOT_URLCONF = "kizuki.web.relay_urls"
DEFAULT_AUTO_FIELD = core.DEFAULT_AUTO_FIELD

INSTALLED_APPS = [
    "kizuki.records.relay.apps.RelayConfig",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "kizuki.web.headers.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
STATICFILES_DIRS = [_HERE / "static"]

# the dummy entry is Django's own way of saying that nothing may be stored anywhere but in the named databases
DATABASES: dict[str, Any] = {"default": {}, "relay": core.DATABASES["relay"]}
DATABASE_ROUTERS = core.DATABASE_ROUTERS
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

LANGUAGE_CODE = core.LANGUAGE_CODE
TIME_ZONE = core.TIME_ZONE
USE_I18N = True
USE_TZ = True
STATIC_URL = core.STATIC_URL
WHITENOISE_USE_FINDERS = True
STORAGES = core.STORAGES
FILE_UPLOAD_HANDLERS = core.FILE_UPLOAD_HANDLERS

CSRF_COOKIE_NAME = "__Host-kizuki-relay" if core.KIZUKI.https else "kizuki-relay"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = core.KIZUKI.https
CSRF_FAILURE_VIEW = "kizuki.web.views.relay.csrf_failure"
SECURE_SSL_REDIRECT = core.SECURE_SSL_REDIRECT
SECURE_PROXY_SSL_HEADER = core.SECURE_PROXY_SSL_HEADER
SECURE_HSTS_SECONDS = core.SECURE_HSTS_SECONDS
SECURE_HSTS_INCLUDE_SUBDOMAINS = core.SECURE_HSTS_INCLUDE_SUBDOMAINS
SECURE_HSTS_PRELOAD = core.SECURE_HSTS_PRELOAD
SECURE_REFERRER_POLICY = core.SECURE_REFERRER_POLICY  # a page's address is its key: it must not travel to others
SECURE_CROSS_ORIGIN_OPENER_POLICY = core.SECURE_CROSS_ORIGIN_OPENER_POLICY
X_FRAME_OPTIONS = core.X_FRAME_OPTIONS
LOGGING: dict[str, Any] = {
    **core.LOGGING,
    "filters": {"no_addresses": {"()": "kizuki.web.quiet_log.NoAddresses"}},
    "handlers": {"stderr": {**core.LOGGING["handlers"]["stderr"], "filters": ["no_addresses"]}},
}
