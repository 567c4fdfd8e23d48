"""How the admin looks: Jazzmin's options, each chosen against a fault that was seen or for use."""

from typing import Any, Final

SETTINGS: Final[dict[str, Any]] = {
    "site_title": "Raffle Tickets",
    "site_header": "Raffle Tickets",
    "site_brand": "Raffle Tickets",
    "site_logo": "backoffice/ticket.png",
    "site_logo_classes": "",
    "site_icon": "backoffice/ticket.png",
    "welcome_sign": "Sign in to look after your raffles",
    "copyright": "Raffle Tickets Bot",
    "search_model": "raffles.Order",
    "topmenu_links": [
        {
            "name": "To review",
            "url": "/admin/raffles/order/?review=waiting&o=6",
            "permissions": ["raffles.view_order"],
        },
    ],
    "order_with_respect_to": [
        "raffles",
        "raffles.raffle",
        "raffles.order",
        "raffles.paymentproof",
        "whatsapp",
        "whatsapp.inboundmessage",
        "whatsapp.outboundmessage",
        "whatsapp.whatsappcontact",
        "whatsapp.alarm",
        "whatsapp.businessnumber",
        "whatsapp.accountnotice",
        "whatsapp.unreadableitem",
        "auth",
        "authtoken",
    ],
    "icons": {
        "raffles": "fas fa-ticket-alt",
        "raffles.raffle": "fas fa-ticket-alt",
        "raffles.order": "fas fa-shopping-basket",
        "raffles.paymentproof": "fas fa-receipt",
        "whatsapp": "fas fa-comments",
        "whatsapp.inboundmessage": "fas fa-inbox",
        "whatsapp.outboundmessage": "fas fa-paper-plane",
        "whatsapp.whatsappcontact": "fas fa-address-book",
        "whatsapp.alarm": "fas fa-bell",
        "whatsapp.businessnumber": "fas fa-phone",
        "whatsapp.accountnotice": "fas fa-bullhorn",
        "whatsapp.unreadableitem": "fas fa-question-circle",
        "auth": "fas fa-users-cog",
        "auth.user": "fas fa-user",
        "auth.group": "fas fa-users",
        "authtoken": "fas fa-key",
        "authtoken.tokenproxy": "fas fa-key",
    },
    "default_icon_children": "fas fa-circle",
    "changeform_format": "single",
    "changeform_format_overrides": {"auth.user": "collapsible"},
    "custom_css": "backoffice/css/admin.css",
    # Each of these was tried with 3.0.5: the modal is 300 by 150 pixels and covers Save, the
    # builder pushes the form 800 pixels down, and the fonts would come from another company.
    "related_modal_active": False,
    "show_ui_builder": False,
    "use_google_fonts_cdn": False,
}

UI_TWEAKS: Final[dict[str, Any]] = {
    "navbar_fixed": True,
    "sidebar_fixed": True,
    "sidebar": "sidebar-dark-primary",
    "default_theme_mode": "auto",
}
