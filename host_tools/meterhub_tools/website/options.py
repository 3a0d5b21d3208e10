"""What the website is told at its start, and Django's settings that follow from it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

HERE = Path(__file__).parent
IDLE_S = 15 * 60
_NONE = ["'none'"]
_SELF = ["'self'"]


@dataclass(frozen=True)
class Options:
    """broker: mqtt[s]://[user:password@]host[:port]; ca: PEM file for mqtts; data: folder of key and database.

    public_url: what customers type, when a proxy stands in front; frame_ancestors: origins that may frame the pages;
    registry: the operator's list of hubs, None to serve any hub.
    """

    broker: str
    data: Path
    port: int
    name: str
    ca: Path | None = None
    public_url: str = ""
    frame_ancestors: tuple[str, ...] = ()
    database_url: str = ""
    registry: Path | None = None

    @property
    def url(self) -> str:
        """Where the site is found."""
        return self.public_url.rstrip("/") or f"http://127.0.0.1:{self.port}"


def django_settings(options: Options) -> dict:
    """Return what django.conf.settings is to be configured with."""
    origin = urlsplit(options.url)
    tls = origin.scheme == "https"
    database = options.database_url or f"sqlite:///{options.data.resolve() / 'website.sqlite3'}"
    return {
        "DEBUG": False,
        "SECRET_KEY": secrets.token_urlsafe(48),  # new at every start: nothing signed outlives the process
        "ALLOWED_HOSTS": [origin.hostname, "127.0.0.1", "localhost"],
        "CSRF_TRUSTED_ORIGINS": [f"{origin.scheme}://{origin.netloc}"],
        "ROOT_URLCONF": "meterhub_tools.website.urls",
        "INSTALLED_APPS": [
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "meterhub_tools.website.apps.WebsiteConfig",
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "csp.middleware.CSPMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "meterhub_tools.website.middleware.keep_private",
            # for browsers that do not know frame-ancestors; it cannot name an origin
            *([] if options.frame_ancestors else ["django.middleware.clickjacking.XFrameOptionsMiddleware"]),
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [HERE / "templates"],
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "meterhub_tools.website.middleware.site_name",
                    ],
                    "builtins": ["meterhub_tools.website.tags"],
                },
            }
        ],
        "DATABASES": {"default": _database(database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGE_CODE": "en-gb",
        "LOGGING": _logging(),
        **_accounts(),
        **_sessions(tls),
        **_static(),
        **_security(options, tls),
    }


def _database(url: str) -> dict:
    found: dict[str, Any] = dict(dj_database_url.parse(url))
    if found["ENGINE"].endswith("sqlite3"):  # one that became a writer later could not wait for its turn
        found["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 30, **found.get("OPTIONS", {})}
    return found


def _accounts() -> dict:
    checks = "django.contrib.auth.password_validation."
    return {
        "AUTH_USER_MODEL": "website.Account",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": checks + "MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
            {"NAME": checks + "CommonPasswordValidator"},
            {
                "NAME": checks + "UserAttributeSimilarityValidator",
                "OPTIONS": {"user_attributes": ("username", "meter_id")},
            },
        ],
        "LOGIN_URL": "log-in",
        "LOGIN_REDIRECT_URL": "home",
        "LOGOUT_REDIRECT_URL": "log-in",
    }


def _sessions(tls: bool) -> dict:
    # In memory: a restart ends every session, together with the data that was decrypted for it. That is also why the
    # site is one process; behind a load balancer a customer has to stay on one copy of it.
    memory = "django.core.cache.backends.locmem.LocMemCache"
    return {
        "CACHES": {"default": {"BACKEND": memory, "OPTIONS": {"MAX_ENTRIES": 100_000}}},
        "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
        "SESSION_COOKIE_AGE": IDLE_S,
        "SESSION_SAVE_EVERY_REQUEST": True,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": tls,
        "CSRF_COOKIE_SECURE": tls,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_USE_SESSIONS": False,
        "CSRF_FAILURE_VIEW": "meterhub_tools.website.views.accounts.csrf_failure",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        # django-ratelimit wants a cache that all processes share; there is one process
        "SILENCED_SYSTEM_CHECKS": ["django_ratelimit.E003", "django_ratelimit.W001"],
    }


def _static() -> dict:
    return {
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [HERE / "static"],
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": 0,
    }


def _security(options: Options, tls: bool) -> dict:
    return {
        "CONTENT_SECURITY_POLICY": {
            "DIRECTIVES": {
                "default-src": _NONE,
                "script-src": _SELF,
                "style-src": _SELF,
                "img-src": _SELF,
                "connect-src": _SELF,
                "form-action": _SELF,
                "base-uri": _NONE,
                "frame-ancestors": list(options.frame_ancestors) or _NONE,
            }
        },
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "SECURE_HSTS_SECONDS": 31_536_000 if tls else 0,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https") if tls else None,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 16 * 1024,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 40,
    }


def _logging() -> dict:
    # Names of requests and errors go to stderr, bodies and values never do.
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
    }
