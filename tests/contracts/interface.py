"""The public interface as lists, copied by hand from its page: tests hold the models to them."""


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def fields(owner: str, names: str, data: list[str]) -> dict[str, list[str]]:
    """The same data for several messages of an owner, by wire name."""
    return {f"relais.{owner}.{name}.v1": data for name in names.split()}


COMMANDS = words("""
entity.register entity.update entity.deactivate entity.activate campaign.create
campaign.start campaign.reinitialize campaign.cancel process.report package.create
package.edit package.submit package.approve package.publish package.reinitialize
package.reject package.cancel order.place order.edit order.approve order.cancel order.reject
parked.retry parked.discard parked.replace notification.retry snapshot.request
""")
EVENTS = words("""
entity.registered entity.updated entity.deactivated entity.activated campaign.created
campaign.started campaign.canceled campaign.reinitialized campaign.finished process.started
process.paused process.finished process.failed process.stopped package.created
package.edited package.submitted package.approved package.rejected package.published
package.canceled package.reinitialized package.closed package.approval_overdue
package.orders_canceled package.campaigns_canceled package.entities_notified
package.cancellation_progressed package.cancellation_completed package.cancellation_stalled
order.placed order.edited order.approved order.rejected order.available order.canceled
orders.placed orders.available orders.canceled notification.sent notification.failed
notification.superseded command.refused command.unchanged message.parked message.released
package.snapshot order.snapshot campaign.snapshot process.snapshot entity.snapshot
notification.snapshot snapshot.completed worker.seen
""")
NOTICES = words("""
package_available package_submitted package_approval_reminder package_rejected
package_canceled registration_closed order_submitted order_approved order_rejected
order_canceled campaign_available
""")
CODES = words("""
invalid id_reused unknown_type forbidden version_conflict wrong_status field_locked already_exists
unknown_package unknown_order unknown_campaign unknown_entity unknown_process
entity_inactive campaign_canceled audience_required cancellation_running not_offered
not_in_audience registration_closed already_ordered too_many_documents process_stopped
""")

PACKAGE = words("""
package_id label distribution_level campaign_id folder description documents assigned_to
audience starts_at ends_at available_at registration_deadline personalization_deadline
approval_mode approval_period_days reviewers reminders several_orders
start_targeting_on_order_approval notification_message max_documents status edition version
approval_deadline created_at submitted_at approved_at published_at canceled_at changed_at
changed_by
""")
ORDER = words("""
order_id package_id edition entity_id label comment parameters documents status version
campaign_id approval_deadline placed_at approved_at available_at canceled_at changed_at
changed_by
""")
CAMPAIGN = words("""
campaign_id label kind distribution_level program starts_at ends_at max_documents status
version package_id order_id parent_id process_ids canceled_at changed_at changed_by
""")
PROCESS = words("""
process_id campaign_id kind label channel status version detail changed_at
""")
ENTITY = words("""
entity_id label email language channels mailbox webhook_url notify order_reviewers
campaign_reviewers active version changed_at
""")
NOTIFICATION = words("""
notification_id kind recipient_type recipient_id channel package_id edition order_id status
attempts error sent_at
""")
NOTICE = words("""
notification_id kind recipient subject_line text package order comment actor happened_at
""")
OUTCOME = words("command_id command_type outcome code message version errors")
DECISION = ["decision_comment"]
CAMPAIGNS_REPORT = ["campaigns", "processes_stopped", "too_late"]
REPORTS = ["orders", "campaigns", "notifications"]

DATA = {
    **fields("entity", "registered updated deactivated activated", ENTITY),
    **fields("campaign", "created started reinitialized finished", CAMPAIGN),
    **fields("campaign", "canceled", [*CAMPAIGN, "canceled_by"]),
    **fields("process", "started paused finished failed stopped", PROCESS),
    **fields("package", "created edited submitted approved", PACKAGE + DECISION),
    **fields("package", "rejected published canceled reinitialized", PACKAGE + DECISION),
    **fields("package", "closed approval_overdue", PACKAGE),
    **fields("package", "orders_canceled", words("edition canceled already_final")),
    **fields(
        "package", "campaigns_canceled", words("edition campaigns processes_stopped too_late")
    ),
    **fields("package", "entities_notified", words("edition notified superseded failed")),
    **fields("package", "cancellation_progressed", words("edition service done expected")),
    **fields("package", "cancellation_completed", ["edition", *REPORTS, "seconds"]),
    **fields("package", "cancellation_stalled", ["edition", *REPORTS, "waiting_for"]),
    **fields("order", "placed edited approved rejected available canceled", ORDER + DECISION),
    **fields("orders", "placed available canceled", words("package_id edition orders")),
    **fields("notification", "sent failed superseded", NOTIFICATION),
    **fields("notification", " ".join(NOTICES), NOTICE),
    **fields("command", "outcome", OUTCOME),
    **fields("command", "refused", words("command_type code message errors")),
    **fields("command", "unchanged", words("command_type message")),
    **fields(
        "message",
        "parked",
        words("""
        service number reason message_id type package_id error attempts parked_at body body_bytes
        """),
    ),
    **fields("message", "released", words("service number how comment")),
    **fields("package", "snapshot", PACKAGE),
    **fields("order", "snapshot", ORDER),
    **fields("campaign", "snapshot", CAMPAIGN),
    **fields("process", "snapshot", PROCESS),
    **fields("entity", "snapshot", ENTITY),
    **fields("notification", "snapshot", NOTIFICATION),
    **fields("snapshot", "completed", words("service request_id counts")),
    **fields(
        "worker",
        "seen",
        words("""
        service instance version slot lanes ready waiting_for started_at last_batch_at outbox
        waiting parked
        """),
    ),
}
"""The fields of the data of every message that services send."""
