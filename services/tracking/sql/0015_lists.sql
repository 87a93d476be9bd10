-- migrate:up

-- Whose the orders of a package are, without a look at each: so many lie on as many pages.
DROP INDEX model.orders_package;
CREATE INDEX orders_package ON model.orders (package_id, edition, status, placed_at, order_id)
    INCLUDE (entity_id);

-- Campaigns of one package, parent or program are many thousand where its orders are: also of
-- these a page is found by status, and counted from the index alone.
DROP INDEX model.campaigns_package, model.campaigns_parent, model.campaigns_program;
CREATE INDEX campaigns_package ON model.campaigns (package_id, status, campaign_id)
    INCLUDE (order_id) WHERE package_id IS NOT NULL;
CREATE INDEX campaigns_parent ON model.campaigns (parent_id, status, campaign_id)
    WHERE parent_id IS NOT NULL;
CREATE INDEX campaigns_program ON model.campaigns (program, status, changed_at, campaign_id)
    WHERE program IS NOT NULL;

-- Most of what is due is the end of packages.
CREATE INDEX due_kind ON model.due (kind, at, package_id);

CREATE INDEX notifications_order ON model.notifications (order_id, status, at, notification_id)
    WHERE order_id IS NOT NULL;

-- The entities whose orders somebody reviews.
CREATE INDEX entities_reviewers
    ON model.entities USING gin ((state -> 'order_reviewers') jsonb_path_ops);

-- What is rare among commands.
CREATE INDEX commands_type ON commands (type, created_at, command_id);
CREATE INDEX commands_state ON commands (state, created_at, command_id) WHERE state <> 'decided';
CREATE INDEX commands_outcome ON commands (outcome, created_at, command_id)
    WHERE outcome <> 'accepted';

-- migrate:down

DROP INDEX commands_outcome, commands_state, commands_type, model.entities_reviewers,
    model.notifications_order, model.due_kind, model.campaigns_program, model.campaigns_parent,
    model.campaigns_package, model.orders_package;
CREATE INDEX orders_package ON model.orders (package_id, edition, status, placed_at, order_id);
CREATE INDEX campaigns_program ON model.campaigns (program, changed_at, campaign_id)
    WHERE program IS NOT NULL;
CREATE INDEX campaigns_package ON model.campaigns (package_id, campaign_id);
CREATE INDEX campaigns_parent ON model.campaigns (parent_id, campaign_id);
