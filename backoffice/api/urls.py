"""Addresses of the API, each with and without a slash at the end: a redirect loses the body."""

from django.urls import re_path

from backoffice.api.views import (
    endpoints,
    events,
    not_found,
    openapi,
    order_decisions,
    orders,
    proofs,
    raffles,
    statistics,
)

urlpatterns = [
    re_path(r"^orders/?$", orders.OrderList.as_view(), name="api_orders"),
    re_path(r"^orders/(?P<id>[^/]+)/?$", orders.OrderInFull.as_view(), name="api_order"),
    re_path(
        r"^orders/(?P<id>[^/]+)/confirm-payment/?$",
        order_decisions.ConfirmPayment.as_view(),
        name="api_confirm_payment",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/cancel/?$",
        order_decisions.CancelOrder.as_view(),
        name="api_cancel_order",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/reject-payment/?$",
        order_decisions.RejectPayment.as_view(),
        name="api_reject_payment",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/resolve-late/?$",
        order_decisions.ResolveLate.as_view(),
        name="api_resolve_late",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/proofs/?$", proofs.OrderProofs.as_view(), name="api_order_proofs"
    ),
    re_path(r"^proofs/?$", proofs.ProofList.as_view(), name="api_proofs"),
    re_path(r"^proofs/(?P<id>[^/]+)/?$", proofs.ProofInFull.as_view(), name="api_proof"),
    re_path(r"^proofs/(?P<id>[^/]+)/file/?$", proofs.ProofFile.as_view(), name="api_proof_file"),
    re_path(r"^raffles/?$", raffles.RaffleList.as_view(), name="api_raffles"),
    re_path(r"^raffles/(?P<id>[^/]+)/?$", raffles.RaffleInFull.as_view(), name="api_raffle"),
    re_path(
        r"^raffles/(?P<id>[^/]+)/availability/?$",
        raffles.RaffleAvailability.as_view(),
        name="api_availability",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/numbers/?$", raffles.RaffleNumbers.as_view(), name="api_numbers"
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/statistics/?$",
        statistics.RaffleStatistics.as_view(),
        name="api_raffle_statistics",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/open/?$", raffles.OpenRaffle.as_view(), name="api_open_raffle"
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/pause/?$", raffles.PauseRaffle.as_view(), name="api_pause_raffle"
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/close/?$", raffles.CloseRaffle.as_view(), name="api_close_raffle"
    ),
    re_path(r"^statistics/?$", statistics.Statistics.as_view(), name="api_statistics"),
    re_path(r"^events/?$", events.Events.as_view(), name="api_events"),
    re_path(r"^endpoints/?$", endpoints.Endpoints.as_view(), name="api_endpoints"),
    re_path(r"^endpoints/(?P<id>[^/]+)/?$", endpoints.OneEndpoint.as_view(), name="api_endpoint"),
    re_path(r"^deliveries/?$", endpoints.Deliveries.as_view(), name="api_deliveries"),
    re_path(r"^deliveries/(?P<id>[^/]+)/resend/?$", endpoints.Resend.as_view(), name="api_resend"),
    re_path(r"^schema/?$", openapi.Schema.as_view(), name="api_schema"),
    re_path(r"^docs/?$", openapi.docs, name="api_docs"),
    re_path(r"^", not_found.Nowhere.as_view()),
]
