"""Options of Jazzmin, the theme of the admin.

The menu, the top bar and the login page are our own templates.
"""

from typing import Any, Final

from shared.core import config

_BRAND_NAME: Final = config.get_settings().brand_name

SETTINGS: Final[dict[str, Any]] = {
    "site_title": _BRAND_NAME,
    "site_header": _BRAND_NAME,
    "site_brand": _BRAND_NAME,
    "site_logo": "backoffice/ticket.png",
    "site_icon": "backoffice/ticket.png",
    "changeform_format": "single",
    "custom_css": "backoffice/css/admin.css",
    # Tried with Jazzmin 3.0.5: the modal is 300 by 150 pixels and covers Save, the builder pushes
    # the form 800 pixels down, and the fonts are loaded from another company.
    "related_modal_active": False,
    "show_ui_builder": False,
    "use_google_fonts_cdn": False,
}

UI_TWEAKS: Final[dict[str, Any]] = {
    "navbar_fixed": True,
    "sidebar_fixed": True,
    "default_theme_mode": "auto",
}
