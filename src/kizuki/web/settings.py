"""Django settings, all of them derived from `environment.Settings` or fixed for every installation."""

from typing import Any

from kizuki.web import environment

KIZUKI = environment.read()
KIZUKI_HOME = KIZUKI.home
KIZUKI_DEMO = KIZUKI.demo
KIZUKI_MFA_REQUIRED = KIZUKI.mfa_required
KIZUKI_PROXY = KIZUKI.proxy
KIZUKI_LINE_HOST = KIZUKI.relay.line_host
KIZUKI_RELAY_ADDRESS = KIZUKI.relay.address
KIZUKI_IDLE_SECONDS = 15 * 60
KIZUKI_SESSION_SECONDS = 12 * 60 * 60

DEBUG = False
SECRET_KEY = KIZUKI.secret
ALLOWED_HOSTS = list(KIZUKI.hosts)
ROOT_URLCONF = "kizuki.web.urls"
WSGI_APPLICATION = "kizuki.web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "kizuki.records.apps.RecordsConfig",
    "kizuki.records.relay.apps.RelayConfig",
    "kizuki.web.apps.WebConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
]
MIDDLEWARE = [
    "kizuki.web.middleware.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kizuki.web.middleware.SessionLimits",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kizuki.web.middleware.ActorOfSession",
    "kizuki.web.middleware.RefusalPages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kizuki.web.views.chrome.chrome",
            ],
        },
    },
]

# The relay's database is named here for its models' sake; the core never opens it, so no file is made (D11).
DATABASES: dict[str, Any] = {
    "default": dict(KIZUKI.database),
    "relay": dict(KIZUKI.relay.database) | {"TEST": {"MIGRATE": False}},
}
DATABASE_ROUTERS = ["kizuki.records.relay.router.RelayRouter"]
# The used one-time codes and the rate limits live in the cache: shared by every worker, so a code cannot be replayed elsewhere.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "kizuki_cache"}}

AUTH_USER_MODEL = "records.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "kizuki.web.security.StaffAccounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "きづき"
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_ADAPTER = "kizuki.web.security.SealedSecrets"

LANGUAGE_CODE = "ja"
TIME_ZONE = "Asia/Tokyo"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing a browser sends is ever kept as a file
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Uploads stay in memory: Django's default writes anything above 2.5 MB to a plaintext temporary file (G7).
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

SESSION_COOKIE_NAME = "__Host-kizuki" if KIZUKI.https else "kizuki"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = KIZUKI.https
SESSION_COOKIE_AGE = KIZUKI_SESSION_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-kizuki-csrf" if KIZUKI.https else "kizuki-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = KIZUKI.https
CSRF_FAILURE_VIEW = "kizuki.web.auth_views.csrf_failure"
SECURE_SSL_REDIRECT = KIZUKI.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if KIZUKI.https else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if KIZUKI.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = KIZUKI.https
SECURE_HSTS_PRELOAD = KIZUKI.https
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "quiet": {"()": "kizuki.web.quiet_log.QuietFormatter", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "quiet"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
