"""URLs of the API; a trailing slash is optional, because a redirect would lose the body."""

from django.urls import re_path

from backoffice.api.views import (
    draws,
    endpoints,
    events,
    late_payments,
    not_found,
    openapi,
    order_actions,
    order_decisions,
    order_reversals,
    orders,
    proof_moves,
    proofs,
    raffle_lifecycle,
    raffles,
    statistics,
)

urlpatterns = [
    re_path(r"^orders/?$", orders.OrderListView.as_view(), name="api_orders"),
    re_path(r"^orders/(?P<id>[^/]+)/?$", orders.OrderDetailView.as_view(), name="api_order"),
    re_path(
        r"^orders/(?P<id>[^/]+)/confirm-payment/?$",
        order_decisions.ConfirmPaymentView.as_view(),
        name="api_confirm_payment",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/cancel/?$",
        order_decisions.CancelOrderView.as_view(),
        name="api_cancel_order",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/reject-payment/?$",
        order_decisions.RejectPaymentView.as_view(),
        name="api_reject_payment",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/resolve-late/?$",
        late_payments.ResolveLatePaymentView.as_view(),
        name="api_resolve_late",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/more-time/?$",
        order_actions.GiveMoreTimeView.as_view(),
        name="api_give_more_time",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/note/?$",
        order_actions.AddNoteView.as_view(),
        name="api_add_note",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/undo-confirmation/?$",
        order_reversals.UndoConfirmationView.as_view(),
        name="api_undo_confirmation",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/refund/?$",
        order_reversals.RefundOrderView.as_view(),
        name="api_refund_order",
    ),
    re_path(
        r"^orders/(?P<id>[^/]+)/proofs/?$",
        proofs.OrderProofListView.as_view(),
        name="api_order_proofs",
    ),
    re_path(r"^proofs/?$", proofs.ProofListView.as_view(), name="api_proofs"),
    re_path(r"^proofs/(?P<id>[^/]+)/?$", proofs.ProofDetailView.as_view(), name="api_proof"),
    re_path(
        r"^proofs/(?P<id>[^/]+)/file/?$", proofs.ProofFileView.as_view(), name="api_proof_file"
    ),
    re_path(
        r"^proofs/(?P<id>[^/]+)/move/?$",
        proof_moves.MoveProofView.as_view(),
        name="api_move_proof",
    ),
    re_path(r"^raffles/?$", raffles.RaffleListView.as_view(), name="api_raffles"),
    re_path(r"^raffles/(?P<id>[^/]+)/?$", raffles.RaffleDetailView.as_view(), name="api_raffle"),
    re_path(
        r"^raffles/(?P<id>[^/]+)/availability/?$",
        raffles.RaffleAvailabilityView.as_view(),
        name="api_availability",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/numbers/?$",
        raffles.RaffleNumbersView.as_view(),
        name="api_numbers",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/statistics/?$",
        statistics.RaffleStatisticsView.as_view(),
        name="api_raffle_statistics",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/open/?$",
        raffle_lifecycle.OpenRaffleView.as_view(),
        name="api_open_raffle",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/pause/?$",
        raffle_lifecycle.PauseRaffleView.as_view(),
        name="api_pause_raffle",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/close/?$",
        raffle_lifecycle.CloseRaffleView.as_view(),
        name="api_close_raffle",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/call-off/?$",
        raffle_lifecycle.CallOffRaffleView.as_view(),
        name="api_call_off_raffle",
    ),
    re_path(r"^raffles/(?P<id>[^/]+)/draw/?$", draws.DrawView.as_view(), name="api_draw"),
    re_path(
        r"^raffles/(?P<id>[^/]+)/draw/values/?$",
        draws.DrawValuesView.as_view(),
        name="api_draw_values",
    ),
    re_path(
        r"^raffles/(?P<id>[^/]+)/draw/record/?$",
        draws.DrawRecordView.as_view(),
        name="api_draw_record",
    ),
    re_path(r"^statistics/?$", statistics.StatisticsView.as_view(), name="api_statistics"),
    re_path(r"^events/?$", events.EventFeedView.as_view(), name="api_events"),
    re_path(r"^endpoints/?$", endpoints.EndpointListView.as_view(), name="api_endpoints"),
    re_path(
        r"^endpoints/(?P<id>[^/]+)/?$", endpoints.EndpointDetailView.as_view(), name="api_endpoint"
    ),
    re_path(r"^deliveries/?$", endpoints.DeliveryListView.as_view(), name="api_deliveries"),
    re_path(
        r"^deliveries/(?P<id>[^/]+)/resend/?$",
        endpoints.ResendDeliveryView.as_view(),
        name="api_resend",
    ),
    re_path(r"^schema/?$", openapi.OpenApiDocumentView.as_view(), name="api_schema"),
    re_path(r"^docs/?$", openapi.api_reference_view, name="api_docs"),
    re_path(r"^", not_found.NotFoundView.as_view()),
]
