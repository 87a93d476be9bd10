CREATE TABLE public.attempts (
    digest text NOT NULL,
    count integer NOT NULL,
    last timestamp with time zone NOT NULL
);
CREATE TABLE public.audiences (
    package_id text NOT NULL,
    entity_id text NOT NULL
);
CREATE TABLE public.campaigns (
    campaign_id text NOT NULL,
    max_documents integer
);
CREATE TABLE public.cancels (
    package_id text NOT NULL,
    edition integer NOT NULL,
    state text NOT NULL,
    cursor_entity text DEFAULT ''::text NOT NULL,
    cursor_order text DEFAULT ''::text NOT NULL,
    expected integer,
    canceled integer DEFAULT 0 NOT NULL,
    already_final integer DEFAULT 0 NOT NULL,
    worked_at timestamp with time zone NOT NULL,
    cause jsonb NOT NULL
)
WITH (fillfactor='60');
CREATE TABLE public.emitted (
    run text NOT NULL,
    type text NOT NULL,
    count integer NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.entities (
    entity_id text NOT NULL,
    version integer NOT NULL,
    active boolean NOT NULL
)
WITH (fillfactor='70');
CREATE TABLE public.inbox (
    source text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    code text,
    message text,
    version integer,
    errors jsonb
);
CREATE TABLE public.offers (
    package_id text NOT NULL,
    version integer NOT NULL,
    edition integer NOT NULL,
    status text NOT NULL,
    distribution_level text NOT NULL,
    campaign_id text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    registration_deadline timestamp with time zone,
    several_orders boolean NOT NULL,
    max_documents integer,
    audience_digest text,
    canceled_editions integer[] DEFAULT '{}'::integer[] NOT NULL
)
WITH (fillfactor='60');
CREATE TABLE public.orders (
    order_id text NOT NULL,
    package_id text NOT NULL,
    edition integer NOT NULL,
    entity_id text NOT NULL,
    label text NOT NULL,
    comment text,
    parameters jsonb,
    documents jsonb,
    status text NOT NULL,
    version integer NOT NULL,
    campaign_id text,
    approval_deadline timestamp with time zone,
    placed_at timestamp with time zone NOT NULL,
    approved_at timestamp with time zone,
    available_at timestamp with time zone,
    canceled_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    changed_by text
)
WITH (fillfactor='60');
CREATE TABLE public.outbox (
    id bigint NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    type text NOT NULL,
    message_id text NOT NULL,
    correlation_id text NOT NULL,
    partitionkey text,
    content_type text NOT NULL,
    mandatory boolean NOT NULL,
    body bytea NOT NULL,
    taken_until timestamp with time zone NOT NULL,
    unroutable boolean DEFAULT false NOT NULL
)
WITH (fillfactor='70');
ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.parked (
    number bigint NOT NULL,
    digest text NOT NULL,
    reason text NOT NULL,
    error text NOT NULL,
    traceback text,
    source text,
    id text,
    type text,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    reply_to text,
    correlation_id text,
    message_id text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    parked_at timestamp with time zone NOT NULL,
    retry_at timestamp with time zone
);
ALTER TABLE public.parked ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.parked_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migrations (
    version text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.waiting (
    number bigint NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    body bytea NOT NULL,
    reply_to text,
    correlation_id text,
    message_id text,
    received_at timestamp with time zone NOT NULL
);
ALTER TABLE public.waiting ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.waiting_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.attempts VALUES
	('0000000000000000000000000000000000000000000000000000000000000000', 1, '2026-11-26 08:02:18.951269+00');
INSERT INTO public.audiences VALUES
	('CAT2', 'E01'),
	('CAT2', 'E02'),
	('CAT2', 'E03'),
	('CAT7', 'E01'),
	('CAT7', 'E02'),
	('CAT7', 'E99'),
	('CAT3', 'E01'),
	('CAT3', 'E02'),
	('CAT3', 'E03'),
	('CAT3', 'E04'),
	('CAT3', 'E05'),
	('CAT3', 'E06'),
	('CAT3', 'E07'),
	('CAT3', 'E08'),
	('CAT3', 'E09'),
	('CAT3', 'E10'),
	('CAT1', 'E01'),
	('CAT1', 'E02'),
	('CAT1', 'E03'),
	('CAT1', 'E04'),
	('CAT1', 'E05'),
	('CAT1', 'E06'),
	('CAT1', 'E07'),
	('CAT1', 'E08'),
	('CAT1', 'E09'),
	('CAT1', 'E10'),
	('CAT1', 'E11'),
	('CAT1', 'E12'),
	('CAT1', 'E13'),
	('CAT1', 'E14'),
	('CAT1', 'E15'),
	('CAT1', 'E16'),
	('CAT1', 'E17'),
	('CAT1', 'E18'),
	('CAT1', 'E19'),
	('CAT1', 'E20'),
	('CAT1', 'E21'),
	('CAT1', 'E22'),
	('CAT1', 'E23'),
	('CAT1', 'E24'),
	('CAT1', 'E25'),
	('CAT1', 'E26'),
	('CAT1', 'E27'),
	('CAT1', 'E28'),
	('CAT1', 'E29'),
	('CAT1', 'E30'),
	('CAT1', 'E31'),
	('CAT1', 'E32'),
	('CAT1', 'E33'),
	('CAT1', 'E34');
INSERT INTO public.audiences VALUES
	('CAT1', 'E35'),
	('CAT1', 'E36'),
	('CAT1', 'E37'),
	('CAT1', 'E38'),
	('CAT1', 'E39'),
	('CAT1', 'E40'),
	('CAT1', 'E41'),
	('CAT1', 'E42'),
	('CAT1', 'E43'),
	('CAT5', 'E01'),
	('CAT5', 'E02'),
	('CAT5', 'E03'),
	('CAT5', 'E04'),
	('CAT5', 'E05'),
	('CAT5', 'E06'),
	('CAT5', 'E07'),
	('CAT5', 'E08'),
	('CAT5', 'E09'),
	('CAT5', 'E10'),
	('CAT5', 'E11'),
	('CAT5', 'E12'),
	('CAT5', 'E13'),
	('CAT5', 'E14'),
	('CAT5', 'E15'),
	('CAT5', 'E16'),
	('CAT5', 'E17'),
	('CAT5', 'E18'),
	('CAT5', 'E19'),
	('CAT5', 'E20'),
	('CAT5', 'E21'),
	('CAT5', 'E22'),
	('CAT5', 'E23'),
	('CAT5', 'E24'),
	('CAT5', 'E25'),
	('CAT5', 'E26'),
	('CAT5', 'E27'),
	('CAT5', 'E28'),
	('CAT5', 'E29'),
	('CAT5', 'E30'),
	('CAT5', 'E31'),
	('CAT5', 'E32'),
	('CAT5', 'E33'),
	('CAT5', 'E34'),
	('CAT5', 'E35'),
	('CAT5', 'E36'),
	('CAT5', 'E37'),
	('CAT5', 'E38'),
	('CAT5', 'E39'),
	('CAT5', 'E40'),
	('CAT5', 'E41');
INSERT INTO public.audiences VALUES
	('CAT5', 'E42'),
	('CAT5', 'E43'),
	('CAT5', 'E44'),
	('CAT10', 'E01'),
	('CAT10', 'E02');
INSERT INTO public.campaigns VALUES
	('OP1', NULL),
	('OP2', NULL),
	('OP3', NULL),
	('OP7', NULL),
	('OP8', NULL);
INSERT INTO public.cancels VALUES
	('CAT2', 1, 'done', 'E02', 'ORD-2B', 2, 2, 0, '2026-11-26 08:02:17.238576+00', '{"actor": "m.durand", "causationid": "f021c84cc1f8ede5a7a0-0", "traceparent": null, "correlationid": "package.cancel-CAT2"}'),
	('CAT7', 1, 'done', 'E01', 'ORD-7A', 1, 1, 0, '2026-11-26 08:02:19.002498+00', '{"actor": "m.durand", "causationid": "5a8b3abb1f354bb3f78a-0", "traceparent": null, "correlationid": "package.cancel-CAT7"}'),
	('CAT1', 1, 'running', 'E20', 'ORD20', 34, 16, 4, '2026-11-26 08:02:19.753922+00', '{"actor": "m.durand", "causationid": "79d7d961f07fa586f674-0", "traceparent": null, "correlationid": "package.cancel-CAT1"}');
INSERT INTO public.emitted VALUES
	('62bc0d89b5666ea45198', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.287445+00'),
	('b3e57daea1f116e67aa7', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.320191+00'),
	('b05bef258ad4e9693eee', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.334398+00'),
	('c2445a3cf675e6d5013b', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.346933+00'),
	('a144a7c93419d8978c19', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.360164+00'),
	('f04cefbac67e73d5332d', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.373693+00'),
	('4d631dd808cbc2f301d4', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.386893+00'),
	('a224dfa8b14b59c0ae1f', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.400683+00'),
	('9f6aa91aad2b04ad99c3', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.414375+00'),
	('63131fc0bb160d7af50c', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.424002+00'),
	('87b9d86271863fbbc9d5', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.43487+00'),
	('5c367e2e275137e3ae64', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.447719+00'),
	('20d576c9a1a76c1ef34b', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.4596+00'),
	('5b2f430cc9d4c972c8fc', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.474416+00'),
	('e3a502e47f64fb9666ff', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.479205+00'),
	('1c36c54db37194b0c233', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.4922+00'),
	('9cfdb0e4a396e1e8d79f', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.502517+00'),
	('797aecd1b5c599b0a89c', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.515203+00'),
	('01b52aeaa2c253517f6b', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.530025+00'),
	('53a79ea04d962a2ddf9a', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.538167+00'),
	('2344d8dc6ff675ff567a', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.551424+00'),
	('ad61ee77f30074456c74', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.566495+00'),
	('2c0cf1106fa5901560eb', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.576711+00'),
	('d7eaf770917c6678921d', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.590401+00'),
	('35ef148a5664412fad19', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.595382+00'),
	('f771e8b9c462ba987d19', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.608516+00'),
	('760ab9b0cad08f1a21e7', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.618313+00'),
	('587b6a69681c236791a1', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.630598+00'),
	('f3ad7ef700a845981654', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.643285+00'),
	('51ec424a33d16a6c7dd0', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.658742+00'),
	('add82402857807486f60', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.67017+00'),
	('9ca5943059feba5f3358', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.682147+00'),
	('cb55c819feaec8736391', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.69581+00'),
	('f82ccce401e05e478b99', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.706385+00'),
	('df71f16ab36b6d02bb9f', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.71923+00'),
	('c4882596eff6a62e0fa1', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.732275+00'),
	('0bbf372080dfb952b09e', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.742311+00'),
	('2d5d82f3957c5e717fee', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.755241+00'),
	('bb32d7f32f1faf8d23f3', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.768927+00'),
	('347b4aa70b16d38659ea', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.779181+00'),
	('f05a44e7768c3a7267bd', 'relais.order.approved.v1', 1, '2026-11-26 08:02:16.788835+00'),
	('998de1f0226749cc9bff', 'relais.order.approved.v1', 1, '2026-11-26 08:02:16.801549+00'),
	('4129026f8c3dce97f209', 'relais.order.approved.v1', 1, '2026-11-26 08:02:16.808549+00'),
	('73422347da389e767357', 'relais.order.approved.v1', 1, '2026-11-26 08:02:16.816529+00'),
	('04dc056604dc4bfb7267', 'relais.order.approved.v1', 1, '2026-11-26 08:02:16.82494+00'),
	('f83f7fb1b3cbdd80d173', 'relais.order.rejected.v1', 1, '2026-11-26 08:02:16.838115+00'),
	('8d4311560796e2271afd', 'relais.order.rejected.v1', 1, '2026-11-26 08:02:16.84245+00'),
	('424798afa32e0b87a3ec', 'relais.order.rejected.v1', 1, '2026-11-26 08:02:16.851814+00'),
	('9eb31115ddcd0fcbcb3e', 'relais.order.canceled.v1', 1, '2026-11-26 08:02:16.856006+00'),
	('1de1d4ad50d1c5e0dddd', 'relais.order.canceled.v1', 1, '2026-11-26 08:02:16.860399+00');
INSERT INTO public.emitted VALUES
	('9b8d0f584c1fa343e07a', 'relais.order.canceled.v1', 1, '2026-11-26 08:02:16.864707+00'),
	('a20a7a0144a79a876d93', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.872691+00'),
	('8d230b857808242bb890', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.882557+00'),
	('645327ef73bd220cbaac', 'relais.order.placed.v1', 1, '2026-11-26 08:02:16.894218+00'),
	('0a2f94f2f3cec9bbd2f3', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.238576+00'),
	('b531fe092dd64bfcadd5', 'relais.orders.canceled.v1', 1, '2026-11-26 08:02:17.238576+00'),
	('4724f83be2eeec5bfc63', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.238576+00'),
	('fbe1f54f171f8a23e653', 'relais.package.orders_canceled.v1', 1, '2026-11-26 08:02:17.238576+00'),
	('f84d6d6bb87befc79cd7', 'relais.command.refused.v1', 1, '2026-11-26 08:02:17.694471+00'),
	('51d8d17d27709530550f', 'relais.order.placed.v1', 1, '2026-11-26 08:02:17.950405+00'),
	('e251676c2bbcdb5197f6', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.224201+00'),
	('9c8baf1244d8213c8f86', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.521269+00'),
	('d5ca7ad66da913dad40b', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.525154+00'),
	('0bdb0f58bf7ff6d4db01', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.534169+00'),
	('b383ff5ccc67455e2c5e', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.002498+00'),
	('80f58cc75f824c1aa6f4', 'relais.orders.canceled.v1', 1, '2026-11-26 08:02:19.002498+00'),
	('05c78a7507d088cd6411', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.002498+00'),
	('86f95123f1e7cad28f8f', 'relais.package.orders_canceled.v1', 1, '2026-11-26 08:02:19.002498+00'),
	('431a51e88bb37f3c3ad4', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.726313+00'),
	('ee4c4266d6362b49a074', 'relais.orders.canceled.v1', 1, '2026-11-26 08:02:19.726313+00'),
	('4ffb8b8bdef6bc9a0592', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.726313+00'),
	('9bdc8931b4dfd9567b65', 'relais.orders.canceled.v1', 1, '2026-11-26 08:02:19.753922+00'),
	('ce62b18437671ee6a6fc', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.753922+00');
INSERT INTO public.entities VALUES
	('E01', 1, true),
	('E02', 1, true),
	('E03', 1, true),
	('E04', 1, true),
	('E05', 1, true),
	('E06', 1, true),
	('E07', 1, true),
	('E08', 1, true),
	('E09', 1, true),
	('E10', 1, true),
	('E11', 1, true),
	('E12', 1, true),
	('E13', 1, true),
	('E14', 1, true),
	('E15', 1, true),
	('E16', 1, true),
	('E17', 1, true),
	('E18', 1, true),
	('E19', 1, true),
	('E20', 1, true),
	('E21', 1, true),
	('E22', 1, true),
	('E23', 1, true),
	('E24', 1, true),
	('E25', 1, true),
	('E26', 1, true),
	('E27', 1, true),
	('E28', 1, true),
	('E29', 1, true),
	('E30', 1, true),
	('E31', 1, true),
	('E32', 1, true),
	('E33', 1, true),
	('E34', 1, true),
	('E35', 1, true),
	('E36', 1, true),
	('E37', 1, true),
	('E38', 1, true),
	('E39', 1, true),
	('E40', 1, true),
	('E41', 1, true),
	('E42', 1, true),
	('E43', 1, true),
	('E44', 1, true);
INSERT INTO public.inbox VALUES
	('/relais/directory', '16b265d1d41cd1af8774-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.510406+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '5b7a64f2c6ab81dc05a3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.607548+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a4d6bf898f0194735a72-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.627751+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '18f16d072152f168053c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.64736+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'c54e82e39a9e9f5bd851-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.664675+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '8740bbee3f4f585fbac3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.684573+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '89e926bd0f13a054b8e2-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.714707+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'dd57211a73526eda6442-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.740287+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '9c09cc377d959c53377d-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.762932+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '7781c82262c95ca2b261-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.780904+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'b15a543140776bd0325c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.801392+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd62a6f83ea05724322fe-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.81183+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '7cad4d7e61d269ea2058-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.820952+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f2a0b6a6fb3bc6a82006-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.834482+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a9656930e5f610e87e66-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.847644+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'efaea74ef88e2ce00cfc-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.873391+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'b265891a485698bf45ad-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.889893+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'e76d0b4bd128fe6b623b-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.904553+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f0e6dd9d323422059674-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.922031+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '6a26ebc7eaa0f53c0662-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.942867+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd1b9580ed30ff0efa2bb-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.95876+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd0c9e0f09f70f367c547-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.975064+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '01f95da2e809220daac2-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.990741+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f7c81db5ca30ecfbc130-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.008228+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '3fa11f71db6edbe9d698-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.02395+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'abe43bec3208e0e8ca94-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.039803+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a477732cbf258fd408f5-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.047986+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '12b0d58cd0a5ed14ac15-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.055527+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '80064565ee620c6238bd-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.063254+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '9c61fad5704ff5180654-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.071017+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd2059fef572353cab3b3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.094082+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '3c0801a320a33e4b7093-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.109278+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4429b4cb68f9ad3ce30c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.125605+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '00499358dc44dd2f8b0c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.139689+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4f22b8be246eb86a25fe-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.148729+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '8afe75a2b8c97c207589-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.163288+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '39af6076727e4106fc2a-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.174637+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'ddac50ef5ec389fbcc60-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.187628+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '55a6244bcf617833b87d-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.203609+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '2f5766f0af2e3e2b870e-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.217925+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'ed6ea03952c9f212ab43-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.227244+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4a53415f63e5c3af43cb-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.239428+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'e58caa478d8853e54eff-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.255646+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '6b4d7efcb8d5ba50ae30-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.263763+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/campaigns', '3093f916395f42ba0bad-0', 'relais.campaign.created.v1', '2026-11-26 08:02:15.683647+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/campaigns', 'e633a0df8d3bdcac5ea8-0', 'relais.campaign.created.v1', '2026-11-26 08:02:15.717096+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/campaigns', 'a709a71abe47a340f3cb-0', 'relais.campaign.created.v1', '2026-11-26 08:02:15.741393+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/campaigns', 'd93bae2495a3ad5dd2e1-0', 'relais.campaign.created.v1', '2026-11-26 08:02:15.764723+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '3b0bafc3a3758ef52946-0', 'relais.package.created.v1', '2026-11-26 08:02:15.923997+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'ab695469d6396a78abff-0', 'relais.package.approved.v1', '2026-11-26 08:02:15.948687+00', 'accepted', NULL, NULL, NULL, NULL);
INSERT INTO public.inbox VALUES
	('/relais/packages', '1b80d442e0a63254dfd6-0', 'relais.package.published.v1', '2026-11-26 08:02:15.964153+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'b599d26f47d4ae139122-0', 'relais.package.created.v1', '2026-11-26 08:02:15.994747+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '5e2053ffb8c28ae6d5da-0', 'relais.package.approved.v1', '2026-11-26 08:02:16.014898+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '36bd9a3eacf7e4764d17-0', 'relais.package.published.v1', '2026-11-26 08:02:16.029917+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '457887c8cef57effb3a9-0', 'relais.package.created.v1', '2026-11-26 08:02:16.048419+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '4eefa74563ef60e396ed-0', 'relais.package.approved.v1', '2026-11-26 08:02:16.060764+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '3848a8460e5d3beda776-0', 'relais.package.published.v1', '2026-11-26 08:02:16.075919+00', 'accepted', NULL, NULL, NULL, NULL),
	('/upstream/erp', 'order.place-ORD01', 'relais.order.place.v1', '2026-11-26 08:02:16.287445+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD02', 'relais.order.place.v1', '2026-11-26 08:02:16.320191+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD03', 'relais.order.place.v1', '2026-11-26 08:02:16.334398+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD04', 'relais.order.place.v1', '2026-11-26 08:02:16.346933+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD05', 'relais.order.place.v1', '2026-11-26 08:02:16.360164+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD06', 'relais.order.place.v1', '2026-11-26 08:02:16.373693+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD07', 'relais.order.place.v1', '2026-11-26 08:02:16.386893+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD08', 'relais.order.place.v1', '2026-11-26 08:02:16.400683+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD09', 'relais.order.place.v1', '2026-11-26 08:02:16.414375+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD10', 'relais.order.place.v1', '2026-11-26 08:02:16.424002+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD11', 'relais.order.place.v1', '2026-11-26 08:02:16.43487+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD12', 'relais.order.place.v1', '2026-11-26 08:02:16.447719+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD13', 'relais.order.place.v1', '2026-11-26 08:02:16.4596+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD14', 'relais.order.place.v1', '2026-11-26 08:02:16.474416+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD15', 'relais.order.place.v1', '2026-11-26 08:02:16.479205+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD16', 'relais.order.place.v1', '2026-11-26 08:02:16.4922+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD17', 'relais.order.place.v1', '2026-11-26 08:02:16.502517+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD18', 'relais.order.place.v1', '2026-11-26 08:02:16.515203+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD19', 'relais.order.place.v1', '2026-11-26 08:02:16.530025+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD20', 'relais.order.place.v1', '2026-11-26 08:02:16.538167+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD21', 'relais.order.place.v1', '2026-11-26 08:02:16.551424+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD22', 'relais.order.place.v1', '2026-11-26 08:02:16.566495+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD23', 'relais.order.place.v1', '2026-11-26 08:02:16.576711+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD24', 'relais.order.place.v1', '2026-11-26 08:02:16.590401+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD25', 'relais.order.place.v1', '2026-11-26 08:02:16.595382+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD26', 'relais.order.place.v1', '2026-11-26 08:02:16.608516+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD27', 'relais.order.place.v1', '2026-11-26 08:02:16.618313+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD28', 'relais.order.place.v1', '2026-11-26 08:02:16.630598+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD29', 'relais.order.place.v1', '2026-11-26 08:02:16.643285+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD30', 'relais.order.place.v1', '2026-11-26 08:02:16.658742+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD31', 'relais.order.place.v1', '2026-11-26 08:02:16.67017+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD32', 'relais.order.place.v1', '2026-11-26 08:02:16.682147+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD33', 'relais.order.place.v1', '2026-11-26 08:02:16.69581+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD34', 'relais.order.place.v1', '2026-11-26 08:02:16.706385+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD35', 'relais.order.place.v1', '2026-11-26 08:02:16.71923+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD36', 'relais.order.place.v1', '2026-11-26 08:02:16.732275+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD37', 'relais.order.place.v1', '2026-11-26 08:02:16.742311+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD38', 'relais.order.place.v1', '2026-11-26 08:02:16.755241+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD39', 'relais.order.place.v1', '2026-11-26 08:02:16.768927+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD40', 'relais.order.place.v1', '2026-11-26 08:02:16.779181+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.approve-ORD01', 'relais.order.approve.v1', '2026-11-26 08:02:16.788835+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.approve-ORD09', 'relais.order.approve.v1', '2026-11-26 08:02:16.801549+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.approve-ORD17', 'relais.order.approve.v1', '2026-11-26 08:02:16.808549+00', 'accepted', NULL, NULL, 2, NULL);
INSERT INTO public.inbox VALUES
	('/upstream/erp', 'order.approve-ORD25', 'relais.order.approve.v1', '2026-11-26 08:02:16.816529+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.approve-ORD33', 'relais.order.approve.v1', '2026-11-26 08:02:16.82494+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.reject-ORD06', 'relais.order.reject.v1', '2026-11-26 08:02:16.838115+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.reject-ORD15', 'relais.order.reject.v1', '2026-11-26 08:02:16.84245+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.reject-ORD34', 'relais.order.reject.v1', '2026-11-26 08:02:16.851814+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.cancel-ORD03', 'relais.order.cancel.v1', '2026-11-26 08:02:16.856006+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.cancel-ORD19', 'relais.order.cancel.v1', '2026-11-26 08:02:16.860399+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.cancel-ORD31', 'relais.order.cancel.v1', '2026-11-26 08:02:16.864707+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'order.place-ORD-2A', 'relais.order.place.v1', '2026-11-26 08:02:16.872691+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD-2B', 'relais.order.place.v1', '2026-11-26 08:02:16.882557+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD-7A', 'relais.order.place.v1', '2026-11-26 08:02:16.894218+00', 'accepted', NULL, NULL, 1, NULL),
	('/relais/packages', 'f021c84cc1f8ede5a7a0-0', 'relais.package.canceled.v1', '2026-11-26 08:02:17.195654+00', 'accepted', NULL, NULL, NULL, NULL),
	('/upstream/erp', 'order.place-ORD-W0', 'relais.order.place.v1', '2026-11-26 08:02:17.694471+00', 'refused', 'unknown_package', 'package CAT404 is not known; create it with package.create first', NULL, NULL),
	('/relais/packages', '7f71b083fda92290850e-0', 'relais.package.created.v1', '2026-11-26 08:02:17.844327+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '58924ac8a401eceb4910-0', 'relais.package.approved.v1', '2026-11-26 08:02:17.861837+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'b988d90cc2624fdeb50f-0', 'relais.package.published.v1', '2026-11-26 08:02:17.876973+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/campaigns', 'e0fa10251a2d51e05b1e-0', 'relais.campaign.created.v1', '2026-11-26 08:02:17.932947+00', 'accepted', NULL, NULL, NULL, NULL),
	('/upstream/erp', 'order.place-ORD-A', 'relais.order.place.v1', '2026-11-26 08:02:17.950405+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'order.place-ORD-P1', 'relais.order.place.v1', '2026-11-26 08:02:18.224201+00', 'parked', NULL, 'RuntimeError: cannot be handled before somebody has mended this', NULL, NULL),
	('/upstream/erp', 'order.place-ORD-P2', 'relais.order.place.v1', '2026-11-26 08:02:18.521269+00', 'parked', NULL, 'RuntimeError: cannot be handled before somebody has mended this', NULL, NULL),
	('/test/elsewhere', 'odd-1', 'relais.package.published.v1', '2026-11-26 08:02:18.525154+00', 'parked', NULL, 'data.package_id is required; data.label must be text, not 5; data.distribution_level is required; data.campaign_id is required; data.audience must be a list, not ''é''; data.starts_at is required; data.ends_at is required; data.status is required; data.edition is required; data.version is required; data.created_at is required; data.changed_at is required', NULL, NULL),
	('/relais/packages', '5a8b3abb1f354bb3f78a-0', 'relais.package.canceled.v1', '2026-11-26 08:02:18.977466+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '5f84419a5a01808ed6bb-0', 'relais.package.edited.v1', '2026-11-26 08:02:19.119102+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '79d7d961f07fa586f674-0', 'relais.package.canceled.v1', '2026-11-26 08:02:19.68274+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '81762b17de24cf40dd49-0', 'relais.package.created.v1', '2026-11-26 08:02:19.880516+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '973ffb6870fb34bf4cf4-0', 'relais.package.approved.v1', '2026-11-26 08:02:19.911696+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '7d26c6ce6a78d39355c0-0', 'relais.package.published.v1', '2026-11-26 08:02:19.933907+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'f06637a40346eb5bec48-0', 'relais.package.created.v1', '2026-11-26 08:02:20.430504+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '1e7e850a6ae75bfd66b7-0', 'relais.package.submitted.v1', '2026-11-26 08:02:20.460717+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '4c184bdeb17cc4144f0e-0', 'relais.package.rejected.v1', '2026-11-26 08:02:20.499512+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '61c9a183e16e46ce27ca-0', 'relais.package.reinitialized.v1', '2026-11-26 08:02:20.557878+00', 'accepted', NULL, NULL, NULL, NULL);
INSERT INTO public.offers VALUES
	('CAT3', 3, 1, 'published', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, '5ad99ac5573c60cc395dda5a82ff06b35a77a3205f90352e546ffdc6cad1cc08', '{}'),
	('CAT7', 4, 1, 'canceled', 'collaborative_simple', 'OP7', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, '325724fd5df821a082f792649d207518fbbaee0fdcb4a03ac6d2169368ec4917', '{1}'),
	('CAT1', 5, 1, 'canceled', 'collaborative_simple', 'OP1', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, 'beb6375c27a174a0431cb01260b38bec1bf20db2fdc94f56961dc84ac274b587', '{1}'),
	('CAT5', 3, 1, 'published', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, '3b5604c8854e654d6e31d67ed689f02f067aa5f2574046d57af9bb6bf35818a3', '{}'),
	('CAT10', 3, 1, 'rejected', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, 'cf0b150918e1660867efaac2ba00620dff8a4fe0259b1552f160dbd65918f63b', '{}'),
	('CAT2', 5, 2, 'being_edited', 'collaborative_simple', 'OP2', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, false, NULL, 'c9d4f28ea783736fbbef5085ab75b2c81d8330a269c4e7b57b08543ae879b0d1', '{1}');
INSERT INTO public.orders VALUES
	('ORD21', 'CAT1', 1, 'E21', 'Order ORD21', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.551424+00', '2026-11-26 08:02:16.551424+00', NULL, NULL, NULL, '2026-11-26 08:02:16.551424+00', 'E21'),
	('ORD22', 'CAT1', 1, 'E22', 'Order ORD22', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.566495+00', '2026-11-26 08:02:16.566495+00', NULL, NULL, NULL, '2026-11-26 08:02:16.566495+00', 'E22'),
	('ORD23', 'CAT1', 1, 'E23', 'Order ORD23', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.576711+00', '2026-11-26 08:02:16.576711+00', NULL, NULL, NULL, '2026-11-26 08:02:16.576711+00', 'E23'),
	('ORD24', 'CAT1', 1, 'E24', 'Order ORD24', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.590401+00', '2026-11-26 08:02:16.590401+00', NULL, NULL, NULL, '2026-11-26 08:02:16.590401+00', 'E24'),
	('ORD26', 'CAT1', 1, 'E26', 'Order ORD26', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.608516+00', '2026-11-26 08:02:16.608516+00', NULL, NULL, NULL, '2026-11-26 08:02:16.608516+00', 'E26'),
	('ORD27', 'CAT1', 1, 'E27', 'Order ORD27', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.618313+00', '2026-11-26 08:02:16.618313+00', NULL, NULL, NULL, '2026-11-26 08:02:16.618313+00', 'E27'),
	('ORD28', 'CAT1', 1, 'E28', 'Order ORD28', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.630598+00', '2026-11-26 08:02:16.630598+00', NULL, NULL, NULL, '2026-11-26 08:02:16.630598+00', 'E28'),
	('ORD29', 'CAT1', 1, 'E29', 'Order ORD29', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.643285+00', '2026-11-26 08:02:16.643285+00', NULL, NULL, NULL, '2026-11-26 08:02:16.643285+00', 'E29'),
	('ORD30', 'CAT1', 1, 'E30', 'Order ORD30', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.658742+00', '2026-11-26 08:02:16.658742+00', NULL, NULL, NULL, '2026-11-26 08:02:16.658742+00', 'E30'),
	('ORD32', 'CAT1', 1, 'E32', 'Order ORD32', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.682147+00', '2026-11-26 08:02:16.682147+00', NULL, NULL, NULL, '2026-11-26 08:02:16.682147+00', 'E32'),
	('ORD11', 'CAT1', 1, 'E11', 'Order ORD11', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.43487+00', '2026-11-26 08:02:16.43487+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD12', 'CAT1', 1, 'E12', 'Order ORD12', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.447719+00', '2026-11-26 08:02:16.447719+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD25', 'CAT1', 1, 'E25', 'Order ORD25', NULL, '{"copies": 100}', NULL, 'approved', 2, NULL, '2026-11-29 08:02:16.595382+00', '2026-11-26 08:02:16.595382+00', '2026-11-26 08:02:16.816529+00', NULL, NULL, '2026-11-26 08:02:16.816529+00', 'm.durand'),
	('ORD33', 'CAT1', 1, 'E33', 'Order ORD33', NULL, '{"copies": 100}', NULL, 'approved', 2, NULL, '2026-11-29 08:02:16.69581+00', '2026-11-26 08:02:16.69581+00', '2026-11-26 08:02:16.82494+00', NULL, NULL, '2026-11-26 08:02:16.82494+00', 'm.durand'),
	('ORD06', 'CAT1', 1, 'E06', 'Order ORD06', NULL, '{"copies": 100}', NULL, 'rejected', 2, NULL, '2026-11-29 08:02:16.373693+00', '2026-11-26 08:02:16.373693+00', NULL, NULL, NULL, '2026-11-26 08:02:16.838115+00', 'm.durand'),
	('ORD15', 'CAT1', 1, 'E15', 'Order ORD15', NULL, '{"copies": 100}', NULL, 'rejected', 2, NULL, '2026-11-29 08:02:16.479205+00', '2026-11-26 08:02:16.479205+00', NULL, NULL, NULL, '2026-11-26 08:02:16.84245+00', 'm.durand'),
	('ORD03', 'CAT1', 1, 'E03', 'Order ORD03', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.334398+00', '2026-11-26 08:02:16.334398+00', NULL, NULL, '2026-11-26 08:02:16.856006+00', '2026-11-26 08:02:16.856006+00', 'm.durand'),
	('ORD19', 'CAT1', 1, 'E19', 'Order ORD19', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.530025+00', '2026-11-26 08:02:16.530025+00', NULL, NULL, '2026-11-26 08:02:16.860399+00', '2026-11-26 08:02:16.860399+00', 'm.durand'),
	('ORD31', 'CAT1', 1, 'E31', 'Order ORD31', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.67017+00', '2026-11-26 08:02:16.67017+00', NULL, NULL, '2026-11-26 08:02:16.864707+00', '2026-11-26 08:02:16.864707+00', 'm.durand'),
	('ORD01', 'CAT1', 1, 'E01', 'Order ORD01', NULL, '{"copies": 100}', NULL, 'canceled', 3, NULL, '2026-11-29 08:02:16.287445+00', '2026-11-26 08:02:16.287445+00', '2026-11-26 08:02:16.788835+00', NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD02', 'CAT1', 1, 'E02', 'Order ORD02', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.320191+00', '2026-11-26 08:02:16.320191+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD04', 'CAT1', 1, 'E04', 'Order ORD04', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.346933+00', '2026-11-26 08:02:16.346933+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD05', 'CAT1', 1, 'E05', 'Order ORD05', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.360164+00', '2026-11-26 08:02:16.360164+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD07', 'CAT1', 1, 'E07', 'Order ORD07', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.386893+00', '2026-11-26 08:02:16.386893+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD08', 'CAT1', 1, 'E08', 'Order ORD08', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.400683+00', '2026-11-26 08:02:16.400683+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD09', 'CAT1', 1, 'E09', 'Order ORD09', NULL, '{"copies": 100}', NULL, 'canceled', 3, NULL, '2026-11-29 08:02:16.414375+00', '2026-11-26 08:02:16.414375+00', '2026-11-26 08:02:16.801549+00', NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD10', 'CAT1', 1, 'E10', 'Order ORD10', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.424002+00', '2026-11-26 08:02:16.424002+00', NULL, NULL, '2026-11-26 08:02:19.726313+00', '2026-11-26 08:02:19.726313+00', 'm.durand'),
	('ORD13', 'CAT1', 1, 'E13', 'Order ORD13', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.4596+00', '2026-11-26 08:02:16.4596+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD14', 'CAT1', 1, 'E14', 'Order ORD14', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.474416+00', '2026-11-26 08:02:16.474416+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD16', 'CAT1', 1, 'E16', 'Order ORD16', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.4922+00', '2026-11-26 08:02:16.4922+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD17', 'CAT1', 1, 'E17', 'Order ORD17', NULL, '{"copies": 100}', NULL, 'canceled', 3, NULL, '2026-11-29 08:02:16.502517+00', '2026-11-26 08:02:16.502517+00', '2026-11-26 08:02:16.808549+00', NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD18', 'CAT1', 1, 'E18', 'Order ORD18', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.515203+00', '2026-11-26 08:02:16.515203+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD20', 'CAT1', 1, 'E20', 'Order ORD20', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.538167+00', '2026-11-26 08:02:16.538167+00', NULL, NULL, '2026-11-26 08:02:19.753922+00', '2026-11-26 08:02:19.753922+00', 'm.durand'),
	('ORD35', 'CAT1', 1, 'E35', 'Order ORD35', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.71923+00', '2026-11-26 08:02:16.71923+00', NULL, NULL, NULL, '2026-11-26 08:02:16.71923+00', 'E35'),
	('ORD36', 'CAT1', 1, 'E36', 'Order ORD36', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.732275+00', '2026-11-26 08:02:16.732275+00', NULL, NULL, NULL, '2026-11-26 08:02:16.732275+00', 'E36'),
	('ORD37', 'CAT1', 1, 'E37', 'Order ORD37', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.742311+00', '2026-11-26 08:02:16.742311+00', NULL, NULL, NULL, '2026-11-26 08:02:16.742311+00', 'E37'),
	('ORD38', 'CAT1', 1, 'E38', 'Order ORD38', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.755241+00', '2026-11-26 08:02:16.755241+00', NULL, NULL, NULL, '2026-11-26 08:02:16.755241+00', 'E38'),
	('ORD39', 'CAT1', 1, 'E39', 'Order ORD39', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.768927+00', '2026-11-26 08:02:16.768927+00', NULL, NULL, NULL, '2026-11-26 08:02:16.768927+00', 'E39'),
	('ORD40', 'CAT1', 1, 'E40', 'Order ORD40', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:16.779181+00', '2026-11-26 08:02:16.779181+00', NULL, NULL, NULL, '2026-11-26 08:02:16.779181+00', 'E40'),
	('ORD34', 'CAT1', 1, 'E34', 'Order ORD34', NULL, '{"copies": 100}', NULL, 'rejected', 2, NULL, '2026-11-29 08:02:16.706385+00', '2026-11-26 08:02:16.706385+00', NULL, NULL, NULL, '2026-11-26 08:02:16.851814+00', 'm.durand'),
	('ORD-2A', 'CAT2', 1, 'E01', 'Order ORD-2A', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.872691+00', '2026-11-26 08:02:16.872691+00', NULL, NULL, '2026-11-26 08:02:17.238576+00', '2026-11-26 08:02:17.238576+00', 'm.durand'),
	('ORD-2B', 'CAT2', 1, 'E02', 'Order ORD-2B', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.882557+00', '2026-11-26 08:02:16.882557+00', NULL, NULL, '2026-11-26 08:02:17.238576+00', '2026-11-26 08:02:17.238576+00', 'm.durand'),
	('ORD-A', 'CAT3', 1, 'E05', 'Order ORD-A', NULL, '{"copies": 100}', NULL, 'ordered', 1, NULL, '2026-11-29 08:02:17.950405+00', '2026-11-26 08:02:17.950405+00', NULL, NULL, NULL, '2026-11-26 08:02:17.950405+00', 'm.durand'),
	('ORD-7A', 'CAT7', 1, 'E01', 'Order ORD-7A', NULL, '{"copies": 100}', NULL, 'canceled', 2, NULL, '2026-11-29 08:02:16.894218+00', '2026-11-26 08:02:16.894218+00', NULL, NULL, '2026-11-26 08:02:19.002498+00', '2026-11-26 08:02:19.002498+00', 'm.durand');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES
	(59, 'relais.events', 'relais.command.refused.v1', 'relais.command.refused.v1', 'f84d6d6bb87befc79cd7-0', 'order.place-ORD-W0', 'CAT404', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2266383464366436626238376265666337396364372d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e636f6d6d616e642e726566757365642e7631222c227375626a656374223a224f52442d5730222c2274696d65223a22323032362d31312d32365430383a30323a31372e3639343437315a222c22706172746974696f6e6b6579223a22434154343034222c22636f7272656c6174696f6e6964223a226f726465722e706c6163652d4f52442d5730222c22636175736174696f6e6964223a226f726465722e706c6163652d4f52442d5730222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b22636f6d6d616e645f74797065223a2272656c6169732e6f726465722e706c6163652e7631222c22636f6465223a22756e6b6e6f776e5f7061636b616765222c226d657373616765223a227061636b61676520434154343034206973206e6f74206b6e6f776e3b206372656174652069742077697468207061636b6167652e637265617465206669727374222c226572726f7273223a6e756c6c7d7d', '2026-11-26 08:02:22.694708+00', false),
	(60, '', 'upgrade-replies', 'relais.command.outcome.v1', 'c073224a-6373-5849-bc72-4185331c28de', 'order.place-ORD-W0', NULL, 'application/cloudevents+json', false, '\x7b227370656376657273696f6e223a22312e30222c226964223a2263303733323234612d363337332d353834392d626337322d343138353333316332386465222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e636f6d6d616e642e6f7574636f6d652e7631222c227375626a656374223a224f52442d5730222c22636f7272656c6174696f6e6964223a226f726465722e706c6163652d4f52442d5730222c22636175736174696f6e6964223a226f726465722e706c6163652d4f52442d5730222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b22636f6d6d616e645f6964223a226f726465722e706c6163652d4f52442d5730222c22636f6d6d616e645f74797065223a2272656c6169732e6f726465722e706c6163652e7631222c226f7574636f6d65223a2272656675736564222c22636f6465223a22756e6b6e6f776e5f7061636b616765222c226d657373616765223a227061636b61676520434154343034206973206e6f74206b6e6f776e3b206372656174652069742077697468207061636b6167652e637265617465206669727374222c2276657273696f6e223a6e756c6c2c226572726f7273223a6e756c6c7d7d', '2026-11-26 08:02:22.694708+00', false),
	(68, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', '05c78a7507d088cd6411-0', 'package.cancel-CAT7', 'CAT7', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2230356337386137353037643038386364363431312d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415437222c2274696d65223a22323032362d31312d32365430383a30323a31392e3030323439385a222c22706172746974696f6e6b6579223a2243415437222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415437222c22636175736174696f6e6964223a2235613862336162623166333534626233663738612d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a226f7264657273222c22646f6e65223a312c226578706563746564223a317d7d', '2026-11-26 08:02:24.002642+00', false),
	(62, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', 'e251676c2bbcdb5197f6-0', 'order.place-ORD-P1', 'orders', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2265323531363736633262626364623531393766362d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a226f7264657273222c2274696d65223a22323032362d31312d32365430383a30323a31382e3232343230315a222c22706172746974696f6e6b6579223a226f7264657273222c22636f7272656c6174696f6e6964223a226f726465722e706c6163652d4f52442d5031222c22636175736174696f6e6964223a226f726465722e706c6163652d4f52442d5031222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a226f7264657273222c22726561736f6e223a226661696c6564222c226d6573736167655f6964223a226f726465722e706c6163652d4f52442d5031222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227061636b6167655f6964223a2243415433222c226572726f72223a2252756e74696d654572726f723a2063616e6e6f742062652068616e646c6564206265666f726520736f6d65626f647920686173206d656e6465642074686973227d7d', '2026-11-26 08:02:23.224448+00', false),
	(63, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', '9c8baf1244d8213c8f86-0', 'order.place-ORD-P2', 'orders', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2239633862616631323434643832313363386638362d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a226f7264657273222c2274696d65223a22323032362d31312d32365430383a30323a31382e3532313236395a222c22706172746974696f6e6b6579223a226f7264657273222c22636f7272656c6174696f6e6964223a226f726465722e706c6163652d4f52442d5032222c22636175736174696f6e6964223a226f726465722e706c6163652d4f52442d5032222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a226f7264657273222c22726561736f6e223a226661696c6564222c226d6573736167655f6964223a226f726465722e706c6163652d4f52442d5032222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227061636b6167655f6964223a2243415433222c226572726f72223a2252756e74696d654572726f723a2063616e6e6f742062652068616e646c6564206265666f726520736f6d65626f647920686173206d656e6465642074686973227d7d', '2026-11-26 08:02:23.521507+00', false),
	(64, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', 'd5ca7ad66da913dad40b-0', 'odd-1', 'orders', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2264356361376164363664613931336461643430622d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a226f7264657273222c2274696d65223a22323032362d31312d32365430383a30323a31382e3532353135345a222c22706172746974696f6e6b6579223a226f7264657273222c22636f7272656c6174696f6e6964223a226f64642d31222c22636175736174696f6e6964223a226f64642d31222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a226f7264657273222c22726561736f6e223a22696e76616c6964222c226d6573736167655f6964223a226f64642d31222c2274797065223a2272656c6169732e7061636b6167652e7075626c69736865642e7631222c227061636b6167655f6964223a6e756c6c2c226572726f72223a22646174612e7061636b6167655f69642069732072657175697265643b20646174612e6c6162656c206d75737420626520746578742c206e6f7420353b20646174612e646973747269627574696f6e5f6c6576656c2069732072657175697265643b20646174612e63616d706169676e5f69642069732072657175697265643b20646174612e61756469656e6365206d7573742062652061206c6973742c206e6f742027c3a9273b20646174612e7374617274735f61742069732072657175697265643b20646174612e656e64735f61742069732072657175697265643b20646174612e7374617475732069732072657175697265643b20646174612e65646974696f6e2069732072657175697265643b20646174612e76657273696f6e2069732072657175697265643b20646174612e637265617465645f61742069732072657175697265643b20646174612e6368616e6765645f6174206973207265717569726564227d7d', '2026-11-26 08:02:23.525406+00', false),
	(65, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', '0bdb0f58bf7ff6d4db01-0', 'order.place-ORD-P3', 'orders', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2230626462306635386266376666366434646230312d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a226f7264657273222c2274696d65223a22323032362d31312d32365430383a30323a31382e3533343136395a222c22706172746974696f6e6b6579223a226f7264657273222c22636f7272656c6174696f6e6964223a226f726465722e706c6163652d4f52442d5033222c22636175736174696f6e6964223a226f726465722e706c6163652d4f52442d5033222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a226f7264657273222c22726561736f6e223a2264656164222c226d6573736167655f6964223a226f726465722e706c6163652d4f52442d5033222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227061636b6167655f6964223a2243415433222c226572726f72223a227468652062726f6b657220676176652075702064656c69766572696e67206974227d7d', '2026-11-26 08:02:23.534338+00', false),
	(66, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', 'b383ff5ccc67455e2c5e-0', 'package.cancel-CAT7', 'CAT7', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2262333833666635636363363734353565326335652d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415437222c2274696d65223a22323032362d31312d32365430383a30323a31392e3030323439385a222c22706172746974696f6e6b6579223a2243415437222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415437222c22636175736174696f6e6964223a2235613862336162623166333534626233663738612d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a226f7264657273222c22646f6e65223a302c226578706563746564223a317d7d', '2026-11-26 08:02:24.002642+00', false),
	(67, 'relais.events', 'relais.orders.canceled.v1', 'relais.orders.canceled.v1', '80f58cc75f824c1aa6f4-0', 'package.cancel-CAT7', 'CAT7', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2238306635386363373566383234633161613666342d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6f72646572732e63616e63656c65642e7631222c227375626a656374223a2243415437222c2274696d65223a22323032362d31312d32365430383a30323a31392e3030323439385a222c22706172746974696f6e6b6579223a2243415437222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415437222c22636175736174696f6e6964223a2235613862336162623166333534626233663738612d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415437222c2265646974696f6e223a312c226f7264657273223a5b7b226f726465725f6964223a224f52442d3741222c22656e746974795f6964223a22453031222c2276657273696f6e223a327d5d7d7d', '2026-11-26 08:02:24.002642+00', false),
	(69, 'relais.events', 'relais.package.orders_canceled.v1', 'relais.package.orders_canceled.v1', '86f95123f1e7cad28f8f-0', 'package.cancel-CAT7', 'CAT7', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2238366639353132336631653763616432386638662d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e7061636b6167652e6f72646572735f63616e63656c65642e7631222c227375626a656374223a2243415437222c2274696d65223a22323032362d31312d32365430383a30323a31392e3030323439385a222c22706172746974696f6e6b6579223a2243415437222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415437222c22636175736174696f6e6964223a2235613862336162623166333534626233663738612d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2263616e63656c6564223a312c22616c72656164795f66696e616c223a307d7d', '2026-11-26 08:02:24.002642+00', false),
	(73, 'relais.events', 'relais.orders.canceled.v1', 'relais.orders.canceled.v1', '9bdc8931b4dfd9567b65-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2239626463383933316234646664393536376236352d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e6f72646572732e63616e63656c65642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3735333932325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f7264657273223a5b7b226f726465725f6964223a224f52443131222c22656e746974795f6964223a22453131222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443132222c22656e746974795f6964223a22453132222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443133222c22656e746974795f6964223a22453133222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443134222c22656e746974795f6964223a22453134222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443136222c22656e746974795f6964223a22453136222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443137222c22656e746974795f6964223a22453137222c2276657273696f6e223a337d2c7b226f726465725f6964223a224f52443138222c22656e746974795f6964223a22453138222c2276657273696f6e223a327d2c7b226f726465725f6964223a224f52443230222c22656e746974795f6964223a22453230222c2276657273696f6e223a327d5d7d7d', '2026-11-26 08:02:24.754156+00', false),
	(74, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', 'ce62b18437671ee6a6fc-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2263653632623138343337363731656536613666632d30222c22736f75726365223a222f72656c6169732f6f7264657273222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3735333932325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a226f7264657273222c22646f6e65223a31362c226578706563746564223a33347d7d', '2026-11-26 08:02:24.754156+00', false);
INSERT INTO public.parked OVERRIDING SYSTEM VALUE VALUES
	(1, '85e3535f597c8eebc05fd645464bf93fe6e5126eec5cbbc425269a496aa41314', 'failed', 'RuntimeError: cannot be handled before somebody has mended this', 'Traceback (most recent call last):
  File "/srv/relais/services/runtime/decider.py", line 57, in _decide
    await persist("decide", lambda: self._commit(items, decided))
  File "/srv/relais/services/runtime/database.py", line 77, in persist
    return await work()
           ^^^^^^^^^^^^
  File "/srv/relais/services/runtime/decider.py", line 81, in _commit
    answers = await decide(self._service, turn, items, self._patience)
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/relais/services/runtime/decide.py", line 43, in decide
    answer = docket.settle(item, messages[at], service.handle(world, messages[at]))
                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/relais/tests/upgrade/test_make.py", line 205, in fail
    raise RuntimeError("cannot be handled before somebody has mended this")
RuntimeError: cannot be handled before somebody has mended this
', '/upstream/erp', 'order.place-ORD-P1', 'relais.order.place.v1', 'relais.commands', 'relais.order.place.v1', 'upgrade-replies', 'corr-order.place-ORD-P1', 'order.place-ORD-P1', '{"partitionkey": "CAT3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5031222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5031222c22706172746974696f6e6b6579223a2243415433222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415433222c22656e746974795f6964223a22453032222c226c6162656c223a224f72646572204f52442d5031222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', '2026-11-26 08:02:18.224201+00', NULL),
	(3, 'ab6b8842c5233a468a851fb5494c09a66d3a7ce356f857594d6357c659c79928', 'invalid', 'data.package_id is required; data.label must be text, not 5; data.distribution_level is required; data.campaign_id is required; data.audience must be a list, not ''é''; data.starts_at is required; data.ends_at is required; data.status is required; data.edition is required; data.version is required; data.created_at is required; data.changed_at is required', NULL, '/test/elsewhere', 'odd-1', 'relais.package.published.v1', 'relais.events', 'relais.package.published.v1', NULL, NULL, 'odd-1', '{"partitionkey": "CAT3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f64642d31222c22736f75726365223a222f746573742f656c73657768657265222c2274797065223a2272656c6169732e7061636b6167652e7075626c69736865642e7631222c227375626a656374223a2243415433222c2264617461223a7b226c6162656c223a352c2261756469656e6365223a22c3a9227d7d', '2026-11-26 08:02:18.525154+00', NULL),
	(4, 'd148d73c09f3b6331e4451cd9b6a2f7b8bac1f044c37e649bef4bddf1ea8f49d', 'dead', 'the broker gave up delivering it', NULL, '/upstream/erp', 'order.place-ORD-P3', 'relais.order.place.v1', 'relais.commands', 'relais.order.place.v1', NULL, NULL, 'order.place-ORD-P3', '{"partitionkey": "CAT3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5033222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5033222c22706172746974696f6e6b6579223a2243415433222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415433222c22656e746974795f6964223a22453034222c226c6162656c223a224f72646572204f52442d5033222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', '2026-11-26 08:02:18.534169+00', NULL),
	(2, 'f768b60c263db550847678593167cf6119136b8a770849a0fdf3e8b668d0a43f', 'failed', 'RuntimeError: cannot be handled before somebody has mended this', 'Traceback (most recent call last):
  File "/srv/relais/services/runtime/decider.py", line 57, in _decide
    await persist("decide", lambda: self._commit(items, decided))
  File "/srv/relais/services/runtime/database.py", line 77, in persist
    return await work()
           ^^^^^^^^^^^^
  File "/srv/relais/services/runtime/decider.py", line 81, in _commit
    answers = await decide(self._service, turn, items, self._patience)
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/relais/services/runtime/decide.py", line 43, in decide
    answer = docket.settle(item, messages[at], service.handle(world, messages[at]))
                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/relais/tests/upgrade/test_make.py", line 205, in fail
    raise RuntimeError("cannot be handled before somebody has mended this")
RuntimeError: cannot be handled before somebody has mended this
', '/upstream/erp', 'order.place-ORD-P2', 'relais.order.place.v1', 'relais.commands', 'relais.order.place.v1', NULL, NULL, 'order.place-ORD-P2', '{"partitionkey": "CAT3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5032222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5032222c22706172746974696f6e6b6579223a2243415433222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415433222c22656e746974795f6964223a22453033222c226c6162656c223a224f72646572204f52442d5032222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', '2026-11-26 08:02:18.521269+00', '2026-11-26 08:02:18.950257+00');
INSERT INTO public.schema_migrations VALUES
	('runtime/0001_runtime', 'bc0928ce1b42005c7655d585c4047dcfd399d165939b912bb1e56c44fe8f4e1c', '2026-11-26 08:02:12.816704+00'),
	('runtime/0002_cleaning', '3486da17e05f7bcaba59d07c3d6d9cddc0416c6bb2cae82e381a775c580d1f0c', '2026-11-26 08:02:12.857283+00'),
	('orders/0001_orders', 'f88bda2f52bb7249a8f8278c28adbf66df1f0b7ade4ed139101c1e66135f5a0c', '2026-11-26 08:02:12.869343+00');
INSERT INTO public.waiting OVERRIDING SYSTEM VALUE VALUES
	(2, 'relais.commands', 'relais.order.place.v1', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5731222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5731222c22706172746974696f6e6b6579223a2243415433222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415433222c22656e746974795f6964223a22453031222c226c6162656c223a224f72646572204f52442d5731222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', 'upgrade-replies', 'corr-order.place-ORD-W1', 'order.place-ORD-W1', '2026-11-26 08:02:17.748437+00'),
	(3, 'relais.commands', 'relais.order.place.v1', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5732222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5732222c22706172746974696f6e6b6579223a22434154343035222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a22434154343035222c22656e746974795f6964223a22453031222c226c6162656c223a224f72646572204f52442d5732222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', 'upgrade-replies', 'corr-order.place-ORD-W2', 'order.place-ORD-W2', '2026-11-26 08:02:17.752582+00'),
	(4, 'relais.commands', 'relais.order.place.v1', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e706c6163652d4f52442d5733222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e706c6163652e7631222c227375626a656374223a224f52442d5733222c22706172746974696f6e6b6579223a2243415431222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415431222c22656e746974795f6964223a2245343035222c226c6162656c223a224f72646572204f52442d5733222c22706172616d6574657273223a7b22636f70696573223a3130307d7d7d', NULL, NULL, 'order.place-ORD-W3', '2026-11-26 08:02:17.757531+00'),
	(5, 'relais.commands', 'relais.order.approve.v1', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f726465722e617070726f76652d4f52442d343035222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e6f726465722e617070726f76652e7631222c227375626a656374223a224f52442d343035222c22706172746974696f6e6b6579223a2243415431222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b227061636b6167655f6964223a2243415431227d7d', NULL, NULL, 'order.approve-ORD-405', '2026-11-26 08:02:17.765484+00');
SELECT pg_catalog.setval('public.outbox_id_seq', 74, true);
SELECT pg_catalog.setval('public.parked_number_seq', 4, true);
SELECT pg_catalog.setval('public.waiting_number_seq', 5, true);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.audiences
    ADD CONSTRAINT audiences_pkey PRIMARY KEY (package_id, entity_id);
ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (campaign_id);
ALTER TABLE ONLY public.cancels
    ADD CONSTRAINT cancels_pkey PRIMARY KEY (package_id, edition);
ALTER TABLE ONLY public.entities
    ADD CONSTRAINT entities_pkey PRIMARY KEY (entity_id);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.offers
    ADD CONSTRAINT offers_pkey PRIMARY KEY (package_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (number);
CREATE INDEX cancels_running ON public.cancels USING btree (worked_at) WHERE (state = 'running'::text);
CREATE INDEX emitted_at ON public.emitted USING btree (at);
CREATE INDEX inbox_received ON public.inbox USING btree (received_at);
CREATE INDEX orders_life ON public.orders USING btree (package_id, edition, entity_id, order_id);
CREATE INDEX parked_message ON public.parked USING btree (source, id);
CREATE INDEX parked_retry ON public.parked USING btree (retry_at) WHERE (retry_at IS NOT NULL);

