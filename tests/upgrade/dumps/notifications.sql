CREATE TABLE public.attempts (
    digest text NOT NULL,
    count integer NOT NULL,
    last timestamp with time zone NOT NULL
);
CREATE TABLE public.cancels (
    package_id text NOT NULL,
    edition integer NOT NULL,
    started_at timestamp with time zone,
    foreseen integer DEFAULT 0 NOT NULL,
    orders_seen integer DEFAULT 0 NOT NULL,
    orders_canceled integer,
    expected integer DEFAULT 0 NOT NULL,
    tried integer DEFAULT 0 NOT NULL,
    sent integer DEFAULT 0 NOT NULL,
    superseded integer DEFAULT 0 NOT NULL,
    completed_at timestamp with time zone,
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
    label text NOT NULL,
    mailbox text NOT NULL,
    channels text[] NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    active_during tstzmultirange NOT NULL
)
WITH (fillfactor='70');
CREATE TABLE public.fanouts (
    fanout_id bigint NOT NULL,
    happening_id bigint NOT NULL,
    package_id text NOT NULL,
    edition integer NOT NULL,
    audience text[],
    as_of timestamp with time zone NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    cursor text DEFAULT ''::text NOT NULL,
    worked_at timestamp with time zone NOT NULL
)
WITH (fillfactor='60');
ALTER TABLE public.fanouts ALTER COLUMN fanout_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fanouts_fanout_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.happenings (
    happening_id bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    edition integer NOT NULL,
    happening text NOT NULL,
    package_id text NOT NULL,
    order_id text,
    version integer NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    notice text,
    cause jsonb NOT NULL,
    superseded boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80');
ALTER TABLE public.happenings ALTER COLUMN happening_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.happenings_happening_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
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
CREATE TABLE public.mailboxes (
    name text NOT NULL,
    declared_at timestamp with time zone,
    next_try_at timestamp with time zone NOT NULL,
    error text
);
CREATE TABLE public.notifications (
    happening_id bigint NOT NULL,
    recipient_type text NOT NULL,
    recipient_id text NOT NULL,
    channel text NOT NULL,
    package_id text NOT NULL,
    recipient_label text,
    round smallint DEFAULT 0 NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    error text,
    added_at timestamp with time zone NOT NULL,
    next_try_at timestamp with time zone,
    sent_at timestamp with time zone
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
CREATE TABLE public.packages (
    package_id text NOT NULL,
    version integer NOT NULL,
    edition integer NOT NULL,
    label text NOT NULL,
    distribution_level text NOT NULL,
    campaign_id text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone,
    registration_deadline timestamp with time zone,
    personalization_deadline timestamp with time zone,
    audience_digest text
)
WITH (fillfactor='60');
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
CREATE TABLE public.rounds (
    round smallint NOT NULL,
    holder uuid,
    taken_until timestamp with time zone NOT NULL,
    worked_at timestamp with time zone NOT NULL
)
WITH (fillfactor='30');
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
INSERT INTO public.cancels VALUES
	('CAT2', 1, '2026-11-26 08:02:17.210529+00', 3, 2, 2, 3, 3, 3, 0, '2026-11-26 08:02:17.498735+00', '{"actor": "m.durand", "causationid": "f021c84cc1f8ede5a7a0-0", "traceparent": null, "correlationid": "package.cancel-CAT2"}'),
	('CAT7', 1, '2026-11-26 08:02:18.986908+00', 3, 0, NULL, 3, 2, 2, 1, NULL, '{"actor": "m.durand", "causationid": "5a8b3abb1f354bb3f78a-0", "traceparent": null, "correlationid": "package.cancel-CAT7"}'),
	('CAT1', 1, '2026-11-26 08:02:19.703153+00', 43, 8, NULL, 30, 20, 20, 1, NULL, '{"actor": "m.durand", "causationid": "79d7d961f07fa586f674-0", "traceparent": null, "correlationid": "package.cancel-CAT1"}');
INSERT INTO public.emitted VALUES
	('9e66e59034927bd52a62', 'relais.notification.sent.v1', 42, '2026-11-26 08:02:16.187394+00'),
	('a5ba1629a74eac02087e', 'relais.notification.sent.v1', 3, '2026-11-26 08:02:16.187394+00'),
	('1256e3bfa38e1a90a51f', 'relais.notification.sent.v1', 2, '2026-11-26 08:02:16.187394+00'),
	('8b4d994b4802eb6a65d5', 'relais.notification.sent.v1', 11, '2026-11-26 08:02:17.080436+00'),
	('d436e821343cd1b56a5c', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.210529+00'),
	('b57c23d0c4f9fe752355', 'relais.notification.sent.v1', 3, '2026-11-26 08:02:17.314292+00'),
	('706dfc40b708b3d72027', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.314292+00'),
	('e218018abf72e9a8b464', 'relais.package.entities_notified.v1', 1, '2026-11-26 08:02:17.498735+00'),
	('75ef5cafe96a3e9c9cc8', 'relais.notification.sent.v1', 10, '2026-11-26 08:02:17.999942+00'),
	('38475f5cfbc864d7eb7a', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.566562+00'),
	('49335b7a56e4f22edf73', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:18.986908+00'),
	('79bbb900a0e1f4653c86', 'relais.notification.superseded.v1', 1, '2026-11-26 08:02:19.081247+00'),
	('6aee9f69c1627cc77a63', 'relais.notification.sent.v1', 2, '2026-11-26 08:02:19.081247+00'),
	('a246caea7642a6503a01', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.081247+00'),
	('30dee8fd91dc45253535', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.097978+00'),
	('b44701a77a134e359d91', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.703153+00'),
	('18d113defab58749528a', 'relais.notification.superseded.v1', 1, '2026-11-26 08:02:19.826852+00'),
	('f733ed97ed3fc1550dd9', 'relais.notification.sent.v1', 10, '2026-11-26 08:02:19.826852+00'),
	('143beb9e55dbd0c2c198', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.826852+00'),
	('8261edd0bcfc78b88932', 'relais.notification.sent.v1', 10, '2026-11-26 08:02:20.017098+00'),
	('4679eb956076db7abaf2', 'relais.notification.sent.v1', 10, '2026-11-26 08:02:20.017098+00'),
	('5c17af059186a4514a90', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:20.017098+00');
INSERT INTO public.entities VALUES
	('E01', 1, 'Agency 1', 'east', '{mailbox}', '2026-11-26 08:02:14.563992+00', '{["2026-11-26 08:02:14.563992+00",)}'),
	('E02', 1, 'Agency 2', 'west', '{mailbox}', '2026-11-26 08:02:14.619315+00', '{["2026-11-26 08:02:14.619315+00",)}'),
	('E03', 1, 'Agency 3', 'east', '{mailbox}', '2026-11-26 08:02:14.637636+00', '{["2026-11-26 08:02:14.637636+00",)}'),
	('E04', 1, 'Agency 4', 'west', '{mailbox}', '2026-11-26 08:02:14.655391+00', '{["2026-11-26 08:02:14.655391+00",)}'),
	('E05', 1, 'Agency 5', 'east', '{mailbox}', '2026-11-26 08:02:14.675416+00', '{["2026-11-26 08:02:14.675416+00",)}'),
	('E06', 1, 'Agency 6', 'west', '{mailbox}', '2026-11-26 08:02:14.693944+00', '{["2026-11-26 08:02:14.693944+00",)}'),
	('E07', 1, 'Agency 7', 'east', '{mailbox}', '2026-11-26 08:02:14.725985+00', '{["2026-11-26 08:02:14.725985+00",)}'),
	('E08', 1, 'Agency 8', 'west', '{mailbox}', '2026-11-26 08:02:14.747771+00', '{["2026-11-26 08:02:14.747771+00",)}'),
	('E09', 1, 'Agency 9', 'east', '{mailbox}', '2026-11-26 08:02:14.771466+00', '{["2026-11-26 08:02:14.771466+00",)}'),
	('E10', 1, 'Agency 10', 'west', '{mailbox}', '2026-11-26 08:02:14.792764+00', '{["2026-11-26 08:02:14.792764+00",)}'),
	('E11', 1, 'Agency 11', 'east', '{mailbox}', '2026-11-26 08:02:14.807355+00', '{["2026-11-26 08:02:14.807355+00",)}'),
	('E12', 1, 'Agency 12', 'west', '{mailbox}', '2026-11-26 08:02:14.816314+00', '{["2026-11-26 08:02:14.816314+00",)}'),
	('E13', 1, 'Agency 13', 'east', '{mailbox}', '2026-11-26 08:02:14.825335+00', '{["2026-11-26 08:02:14.825335+00",)}'),
	('E14', 1, 'Agency 14', 'west', '{mailbox}', '2026-11-26 08:02:14.839878+00', '{["2026-11-26 08:02:14.839878+00",)}'),
	('E15', 1, 'Agency 15', 'east', '{mailbox}', '2026-11-26 08:02:14.858655+00', '{["2026-11-26 08:02:14.858655+00",)}'),
	('E16', 1, 'Agency 16', 'west', '{mailbox}', '2026-11-26 08:02:14.880202+00', '{["2026-11-26 08:02:14.880202+00",)}'),
	('E17', 1, 'Agency 17', 'east', '{mailbox}', '2026-11-26 08:02:14.896951+00', '{["2026-11-26 08:02:14.896951+00",)}'),
	('E18', 1, 'Agency 18', 'west', '{mailbox}', '2026-11-26 08:02:14.911948+00', '{["2026-11-26 08:02:14.911948+00",)}'),
	('E19', 1, 'Agency 19', 'east', '{mailbox}', '2026-11-26 08:02:14.92944+00', '{["2026-11-26 08:02:14.92944+00",)}'),
	('E20', 1, 'Agency 20', 'west', '{mailbox}', '2026-11-26 08:02:14.947195+00', '{["2026-11-26 08:02:14.947195+00",)}'),
	('E21', 1, 'Agency 21', 'east', '{mailbox}', '2026-11-26 08:02:14.966434+00', '{["2026-11-26 08:02:14.966434+00",)}'),
	('E22', 1, 'Agency 22', 'west', '{mailbox}', '2026-11-26 08:02:14.982126+00', '{["2026-11-26 08:02:14.982126+00",)}'),
	('E23', 1, 'Agency 23', 'east', '{mailbox}', '2026-11-26 08:02:14.998838+00', '{["2026-11-26 08:02:14.998838+00",)}'),
	('E24', 1, 'Agency 24', 'west', '{mailbox}', '2026-11-26 08:02:15.016291+00', '{["2026-11-26 08:02:15.016291+00",)}'),
	('E25', 1, 'Agency 25', 'east', '{mailbox}', '2026-11-26 08:02:15.031655+00', '{["2026-11-26 08:02:15.031655+00",)}'),
	('E26', 1, 'Agency 26', 'west', '{mailbox}', '2026-11-26 08:02:15.043784+00', '{["2026-11-26 08:02:15.043784+00",)}'),
	('E27', 1, 'Agency 27', 'east', '{mailbox}', '2026-11-26 08:02:15.051744+00', '{["2026-11-26 08:02:15.051744+00",)}'),
	('E28', 1, 'Agency 28', 'west', '{mailbox}', '2026-11-26 08:02:15.059181+00', '{["2026-11-26 08:02:15.059181+00",)}'),
	('E29', 1, 'Agency 29', 'east', '{mailbox}', '2026-11-26 08:02:15.067108+00', '{["2026-11-26 08:02:15.067108+00",)}'),
	('E30', 1, 'Agency 30', 'west', '{mailbox}', '2026-11-26 08:02:15.078639+00', '{["2026-11-26 08:02:15.078639+00",)}'),
	('E31', 1, 'Agency 31', 'east', '{mailbox}', '2026-11-26 08:02:15.102556+00', '{["2026-11-26 08:02:15.102556+00",)}'),
	('E32', 1, 'Agency 32', 'west', '{mailbox}', '2026-11-26 08:02:15.116221+00', '{["2026-11-26 08:02:15.116221+00",)}'),
	('E33', 1, 'Agency 33', 'east', '{mailbox}', '2026-11-26 08:02:15.132257+00', '{["2026-11-26 08:02:15.132257+00",)}'),
	('E34', 1, 'Agency 34', 'west', '{mailbox}', '2026-11-26 08:02:15.142615+00', '{["2026-11-26 08:02:15.142615+00",)}'),
	('E35', 1, 'Agency 35', 'east', '{mailbox}', '2026-11-26 08:02:15.155331+00', '{["2026-11-26 08:02:15.155331+00",)}'),
	('E36', 1, 'Agency 36', 'west', '{mailbox}', '2026-11-26 08:02:15.169853+00', '{["2026-11-26 08:02:15.169853+00",)}'),
	('E37', 1, 'Agency 37', 'east', '{mailbox}', '2026-11-26 08:02:15.180329+00', '{["2026-11-26 08:02:15.180329+00",)}'),
	('E38', 1, 'Agency 38', 'west', '{mailbox}', '2026-11-26 08:02:15.195367+00', '{["2026-11-26 08:02:15.195367+00",)}'),
	('E39', 1, 'Agency 39', 'east', '{mailbox}', '2026-11-26 08:02:15.206599+00', '{["2026-11-26 08:02:15.206599+00",)}'),
	('E40', 1, 'Agency 40', 'west', '{mailbox}', '2026-11-26 08:02:15.221077+00', '{["2026-11-26 08:02:15.221077+00",)}'),
	('E41', 1, 'Agency 41', 'east', '{mailbox}', '2026-11-26 08:02:15.234386+00', '{["2026-11-26 08:02:15.234386+00",)}'),
	('E42', 1, 'Agency 42', 'west', '{mailbox}', '2026-11-26 08:02:15.246842+00', '{["2026-11-26 08:02:15.246842+00",)}'),
	('E43', 1, 'Agency 43', 'east', '{mailbox}', '2026-11-26 08:02:15.258627+00', '{["2026-11-26 08:02:15.258627+00",)}'),
	('E44', 1, 'Agency 44', 'west', '{mailbox}', '2026-11-26 08:02:15.272262+00', '{["2026-11-26 08:02:15.272262+00",)}');
INSERT INTO public.fanouts OVERRIDING SYSTEM VALUE VALUES
	(8, 20, 'CAT1', 1, '{E01,E02,E03,E04,E05,E06,E07,E08,E09,E10,E11,E12,E13,E14,E15,E16,E17,E18,E19,E20,E21,E22,E23,E24,E25,E26,E27,E28,E29,E30,E31,E32,E33,E34,E35,E36,E37,E38,E39,E40,E41,E42,E43}', '2026-11-26 08:02:19.703154+00', 30, 'E30', '2026-11-26 08:02:20.139468+00'),
	(9, 22, 'CAT5', 1, '{E01,E02,E03,E04,E05,E06,E07,E08,E09,E10,E11,E12,E13,E14,E15,E16,E17,E18,E19,E20,E21,E22,E23,E24,E25,E26,E27,E28,E29,E30,E31,E32,E33,E34,E35,E36,E37,E38,E39,E40,E41,E42,E43,E44}', '2026-11-26 08:02:19.94611+00', 20, 'E20', '2026-11-26 08:02:20.143161+00');
INSERT INTO public.happenings OVERRIDING SYSTEM VALUE VALUES
	(4, 'order_approved', 'ORD01', 1, '2', 'CAT1', 'ORD01', 2, '2026-11-26 08:02:16.788835+00', '{"kind":"order_approved","subject_line":"Order ORD01 was approved","text":"Your order Order ORD01 (ORD01) was approved by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD01","label":"Order ORD01","status":"approved"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.788835Z"}', '{"actor": "m.durand", "causationid": "f05a44e7768c3a7267bd-0", "traceparent": null, "correlationid": "order.approve-ORD01"}', false),
	(5, 'order_approved', 'ORD09', 1, '2', 'CAT1', 'ORD09', 2, '2026-11-26 08:02:16.801549+00', '{"kind":"order_approved","subject_line":"Order ORD09 was approved","text":"Your order Order ORD09 (ORD09) was approved by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD09","label":"Order ORD09","status":"approved"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.801549Z"}', '{"actor": "m.durand", "causationid": "998de1f0226749cc9bff-0", "traceparent": null, "correlationid": "order.approve-ORD09"}', false),
	(6, 'order_approved', 'ORD17', 1, '2', 'CAT1', 'ORD17', 2, '2026-11-26 08:02:16.808549+00', '{"kind":"order_approved","subject_line":"Order ORD17 was approved","text":"Your order Order ORD17 (ORD17) was approved by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD17","label":"Order ORD17","status":"approved"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.808549Z"}', '{"actor": "m.durand", "causationid": "4129026f8c3dce97f209-0", "traceparent": null, "correlationid": "order.approve-ORD17"}', false),
	(7, 'order_approved', 'ORD25', 1, '2', 'CAT1', 'ORD25', 2, '2026-11-26 08:02:16.816529+00', '{"kind":"order_approved","subject_line":"Order ORD25 was approved","text":"Your order Order ORD25 (ORD25) was approved by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD25","label":"Order ORD25","status":"approved"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.816529Z"}', '{"actor": "m.durand", "causationid": "73422347da389e767357-0", "traceparent": null, "correlationid": "order.approve-ORD25"}', false),
	(8, 'order_approved', 'ORD33', 1, '2', 'CAT1', 'ORD33', 2, '2026-11-26 08:02:16.82494+00', '{"kind":"order_approved","subject_line":"Order ORD33 was approved","text":"Your order Order ORD33 (ORD33) was approved by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD33","label":"Order ORD33","status":"approved"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.824940Z"}', '{"actor": "m.durand", "causationid": "04dc056604dc4bfb7267-0", "traceparent": null, "correlationid": "order.approve-ORD33"}', false),
	(2, 'package_available', 'CAT2', 1, '', 'CAT2', NULL, 3, '2026-11-26 08:02:15.881695+00', '{"kind":"package_available","subject_line":"Package CAT2 can be ordered","text":"The package Package CAT2 (CAT2) can be ordered until 31 December 2099.","package":{"package_id":"CAT2","label":"Package CAT2","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP2","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:15.881695Z"}', '{"actor": "m.durand", "causationid": "36bd9a3eacf7e4764d17-0", "traceparent": null, "correlationid": "package.publish-CAT2"}', true),
	(3, 'package_available', 'CAT7', 1, '', 'CAT7', NULL, 3, '2026-11-26 08:02:15.910133+00', '{"kind":"package_available","subject_line":"Package CAT7 can be ordered","text":"The package Package CAT7 (CAT7) can be ordered until 31 December 2099.","package":{"package_id":"CAT7","label":"Package CAT7","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP7","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:15.910133Z"}', '{"actor": "m.durand", "causationid": "3848a8460e5d3beda776-0", "traceparent": null, "correlationid": "package.publish-CAT7"}', true),
	(1, 'package_available', 'CAT1', 1, '', 'CAT1', NULL, 4, '2026-11-26 08:02:19.108253+00', '{"kind":"package_available","subject_line":"Package CAT1 can be ordered","text":"The package Package CAT1 (CAT1) can be ordered until 31 December 2099.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:19.108253Z"}', '{"actor": "m.durand", "causationid": "5f84419a5a01808ed6bb-0", "traceparent": null, "correlationid": "package.edit-CAT1"}', true),
	(9, 'order_rejected', 'ORD06', 1, '2', 'CAT1', 'ORD06', 2, '2026-11-26 08:02:16.838115+00', '{"kind":"order_rejected","subject_line":"Order ORD06 was rejected","text":"Your order Order ORD06 (ORD06) was rejected by m.durand: not this one.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD06","label":"Order ORD06","status":"rejected"},"comment":"not this one","actor":"m.durand","happened_at":"2026-11-26T08:02:16.838115Z"}', '{"actor": "m.durand", "causationid": "f83f7fb1b3cbdd80d173-0", "traceparent": null, "correlationid": "order.reject-ORD06"}', false),
	(10, 'order_rejected', 'ORD15', 1, '2', 'CAT1', 'ORD15', 2, '2026-11-26 08:02:16.84245+00', '{"kind":"order_rejected","subject_line":"Order ORD15 was rejected","text":"Your order Order ORD15 (ORD15) was rejected by m.durand: not this one.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD15","label":"Order ORD15","status":"rejected"},"comment":"not this one","actor":"m.durand","happened_at":"2026-11-26T08:02:16.842450Z"}', '{"actor": "m.durand", "causationid": "8d4311560796e2271afd-0", "traceparent": null, "correlationid": "order.reject-ORD15"}', false),
	(11, 'order_rejected', 'ORD34', 1, '2', 'CAT1', 'ORD34', 2, '2026-11-26 08:02:16.851814+00', '{"kind":"order_rejected","subject_line":"Order ORD34 was rejected","text":"Your order Order ORD34 (ORD34) was rejected by m.durand: not this one.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD34","label":"Order ORD34","status":"rejected"},"comment":"not this one","actor":"m.durand","happened_at":"2026-11-26T08:02:16.851814Z"}', '{"actor": "m.durand", "causationid": "424798afa32e0b87a3ec-0", "traceparent": null, "correlationid": "order.reject-ORD34"}', false),
	(12, 'order_canceled', 'ORD03', 1, '2', 'CAT1', 'ORD03', 2, '2026-11-26 08:02:16.856006+00', '{"kind":"order_canceled","subject_line":"Order ORD03 was canceled","text":"Your order Order ORD03 (ORD03) was canceled by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD03","label":"Order ORD03","status":"canceled"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.856006Z"}', '{"actor": "m.durand", "causationid": "9eb31115ddcd0fcbcb3e-0", "traceparent": null, "correlationid": "order.cancel-ORD03"}', false),
	(13, 'order_canceled', 'ORD19', 1, '2', 'CAT1', 'ORD19', 2, '2026-11-26 08:02:16.860399+00', '{"kind":"order_canceled","subject_line":"Order ORD19 was canceled","text":"Your order Order ORD19 (ORD19) was canceled by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD19","label":"Order ORD19","status":"canceled"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.860399Z"}', '{"actor": "m.durand", "causationid": "1de1d4ad50d1c5e0dddd-0", "traceparent": null, "correlationid": "order.cancel-ORD19"}', false),
	(14, 'order_canceled', 'ORD31', 1, '2', 'CAT1', 'ORD31', 2, '2026-11-26 08:02:16.864707+00', '{"kind":"order_canceled","subject_line":"Order ORD31 was canceled","text":"Your order Order ORD31 (ORD31) was canceled by m.durand.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":{"order_id":"ORD31","label":"Order ORD31","status":"canceled"},"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:16.864707Z"}', '{"actor": "m.durand", "causationid": "9b8d0f584c1fa343e07a-0", "traceparent": null, "correlationid": "order.cancel-ORD31"}', false),
	(15, 'package_canceled', 'CAT2', 1, '', 'CAT2', NULL, 4, '2026-11-26 08:02:17.164577+00', '{"kind":"package_canceled","subject_line":"Package CAT2 was canceled","text":"The package Package CAT2 (CAT2) was canceled by m.durand: supplier withdrew.","package":{"package_id":"CAT2","label":"Package CAT2","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP2","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":"supplier withdrew","actor":"m.durand","happened_at":"2026-11-26T08:02:17.164577Z"}', '{"actor": "m.durand", "causationid": "f021c84cc1f8ede5a7a0-0", "traceparent": null, "correlationid": "package.cancel-CAT2"}', false),
	(17, 'package_available', 'CAT3', 1, '', 'CAT3', NULL, 3, '2026-11-26 08:02:17.833515+00', '{"kind":"package_available","subject_line":"Package CAT3 can be ordered","text":"The package Package CAT3 (CAT3) can be ordered until 31 December 2099.","package":{"package_id":"CAT3","label":"Package CAT3","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP3","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:17.833515Z"}', '{"actor": "m.durand", "causationid": "b988d90cc2624fdeb50f-0", "traceparent": null, "correlationid": "package.publish-CAT3"}', false),
	(18, 'package_canceled', 'CAT7', 1, '', 'CAT7', NULL, 4, '2026-11-26 08:02:18.952622+00', '{"kind":"package_canceled","subject_line":"Package CAT7 was canceled","text":"The package Package CAT7 (CAT7) was canceled by m.durand: too dear.","package":{"package_id":"CAT7","label":"Package CAT7","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP7","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":"too dear","actor":"m.durand","happened_at":"2026-11-26T08:02:18.952622Z"}', '{"actor": "m.durand", "causationid": "5a8b3abb1f354bb3f78a-0", "traceparent": null, "correlationid": "package.cancel-CAT7"}', false),
	(20, 'package_canceled', 'CAT1', 1, '', 'CAT1', NULL, 5, '2026-11-26 08:02:19.647312+00', '{"kind":"package_canceled","subject_line":"Package CAT1 was canceled","text":"The package Package CAT1 (CAT1) was canceled by m.durand: the supplier went bankrupt.","package":{"package_id":"CAT1","label":"Package CAT1","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP1","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":"the supplier went bankrupt","actor":"m.durand","happened_at":"2026-11-26T08:02:19.647312Z"}', '{"actor": "m.durand", "causationid": "79d7d961f07fa586f674-0", "traceparent": null, "correlationid": "package.cancel-CAT1"}', false),
	(22, 'package_available', 'CAT5', 1, '', 'CAT5', NULL, 3, '2026-11-26 08:02:19.863099+00', '{"kind":"package_available","subject_line":"Package CAT5 can be ordered","text":"The package Package CAT5 (CAT5) can be ordered until 31 December 2099.","package":{"package_id":"CAT5","label":"Package CAT5","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP3","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":null,"actor":"m.durand","happened_at":"2026-11-26T08:02:19.863099Z"}', '{"actor": "m.durand", "causationid": "7d26c6ce6a78d39355c0-0", "traceparent": null, "correlationid": "package.publish-CAT5"}', false),
	(23, 'package_rejected', 'CAT10', 1, '3', 'CAT10', NULL, 3, '2026-11-26 08:02:20.410202+00', '{"kind":"package_rejected","subject_line":"Package CAT10 was rejected","text":"The package Package CAT10 (CAT10) was rejected by m.durand: the budget.","package":{"package_id":"CAT10","label":"Package CAT10","edition":1,"distribution_level":"collaborative_simple","campaign_id":"OP3","starts_at":"2020-01-01T00:00:00Z","ends_at":"2099-12-31T00:00:00Z","available_at":null,"registration_deadline":null,"personalization_deadline":null},"order":null,"comment":"the budget","actor":"m.durand","happened_at":"2026-11-26T08:02:20.410202Z"}', '{"actor": "m.durand", "causationid": "4c184bdeb17cc4144f0e-0", "traceparent": null, "correlationid": "package.reject-CAT10"}', false);
INSERT INTO public.inbox VALUES
	('/relais/directory', '16b265d1d41cd1af8774-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.563991+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '5b7a64f2c6ab81dc05a3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.619314+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a4d6bf898f0194735a72-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.637635+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '18f16d072152f168053c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.65539+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'c54e82e39a9e9f5bd851-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.675415+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '8740bbee3f4f585fbac3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.693943+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '89e926bd0f13a054b8e2-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.725984+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'dd57211a73526eda6442-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.74777+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '9c09cc377d959c53377d-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.771465+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '7781c82262c95ca2b261-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.792763+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'b15a543140776bd0325c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.807354+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd62a6f83ea05724322fe-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.816313+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '7cad4d7e61d269ea2058-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.825334+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f2a0b6a6fb3bc6a82006-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.839877+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a9656930e5f610e87e66-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.858654+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'efaea74ef88e2ce00cfc-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.880201+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'b265891a485698bf45ad-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.89695+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'e76d0b4bd128fe6b623b-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.911947+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f0e6dd9d323422059674-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.929439+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '6a26ebc7eaa0f53c0662-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.947194+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd1b9580ed30ff0efa2bb-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.966433+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd0c9e0f09f70f367c547-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.982125+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '01f95da2e809220daac2-0', 'relais.entity.registered.v1', '2026-11-26 08:02:14.998837+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'f7c81db5ca30ecfbc130-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.01629+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '3fa11f71db6edbe9d698-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.031654+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'abe43bec3208e0e8ca94-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.043783+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'a477732cbf258fd408f5-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.051743+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '12b0d58cd0a5ed14ac15-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.05918+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '80064565ee620c6238bd-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.067107+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '9c61fad5704ff5180654-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.078638+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'd2059fef572353cab3b3-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.102555+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '3c0801a320a33e4b7093-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.11622+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4429b4cb68f9ad3ce30c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.132256+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '00499358dc44dd2f8b0c-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.142614+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4f22b8be246eb86a25fe-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.15533+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '8afe75a2b8c97c207589-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.169852+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '39af6076727e4106fc2a-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.180328+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'ddac50ef5ec389fbcc60-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.195366+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '55a6244bcf617833b87d-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.206598+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '2f5766f0af2e3e2b870e-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.221076+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'ed6ea03952c9f212ab43-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.234385+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '4a53415f63e5c3af43cb-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.246841+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', 'e58caa478d8853e54eff-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.258626+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/directory', '6b4d7efcb8d5ba50ae30-0', 'relais.entity.registered.v1', '2026-11-26 08:02:15.272261+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '3b0bafc3a3758ef52946-0', 'relais.package.created.v1', '2026-11-26 08:02:15.93834+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'ab695469d6396a78abff-0', 'relais.package.approved.v1', '2026-11-26 08:02:15.956719+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '1b80d442e0a63254dfd6-0', 'relais.package.published.v1', '2026-11-26 08:02:15.968918+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'b599d26f47d4ae139122-0', 'relais.package.created.v1', '2026-11-26 08:02:16.003811+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '5e2053ffb8c28ae6d5da-0', 'relais.package.approved.v1', '2026-11-26 08:02:16.018232+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '36bd9a3eacf7e4764d17-0', 'relais.package.published.v1', '2026-11-26 08:02:16.033499+00', 'accepted', NULL, NULL, NULL, NULL);
INSERT INTO public.inbox VALUES
	('/relais/packages', '457887c8cef57effb3a9-0', 'relais.package.created.v1', '2026-11-26 08:02:16.052411+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '4eefa74563ef60e396ed-0', 'relais.package.approved.v1', '2026-11-26 08:02:16.068795+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '3848a8460e5d3beda776-0', 'relais.package.published.v1', '2026-11-26 08:02:16.082869+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', 'f05a44e7768c3a7267bd-0', 'relais.order.approved.v1', '2026-11-26 08:02:16.951776+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '998de1f0226749cc9bff-0', 'relais.order.approved.v1', '2026-11-26 08:02:16.96636+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '4129026f8c3dce97f209-0', 'relais.order.approved.v1', '2026-11-26 08:02:16.977659+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '73422347da389e767357-0', 'relais.order.approved.v1', '2026-11-26 08:02:16.983595+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '04dc056604dc4bfb7267-0', 'relais.order.approved.v1', '2026-11-26 08:02:16.988761+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', 'f83f7fb1b3cbdd80d173-0', 'relais.order.rejected.v1', '2026-11-26 08:02:16.993761+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '8d4311560796e2271afd-0', 'relais.order.rejected.v1', '2026-11-26 08:02:17.003058+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '424798afa32e0b87a3ec-0', 'relais.order.rejected.v1', '2026-11-26 08:02:17.012525+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '9eb31115ddcd0fcbcb3e-0', 'relais.order.canceled.v1', '2026-11-26 08:02:17.022926+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '1de1d4ad50d1c5e0dddd-0', 'relais.order.canceled.v1', '2026-11-26 08:02:17.036304+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', '9b8d0f584c1fa343e07a-0', 'relais.order.canceled.v1', '2026-11-26 08:02:17.043448+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'f021c84cc1f8ede5a7a0-0', 'relais.package.canceled.v1', '2026-11-26 08:02:17.210529+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', 'b531fe092dd64bfcadd5-0', 'relais.orders.canceled.v1', '2026-11-26 08:02:17.425624+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', 'fbe1f54f171f8a23e653-0', 'relais.package.orders_canceled.v1', '2026-11-26 08:02:17.455835+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '7f71b083fda92290850e-0', 'relais.package.created.v1', '2026-11-26 08:02:17.851202+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '58924ac8a401eceb4910-0', 'relais.package.approved.v1', '2026-11-26 08:02:17.867991+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'b988d90cc2624fdeb50f-0', 'relais.package.published.v1', '2026-11-26 08:02:17.894306+00', 'accepted', NULL, NULL, NULL, NULL),
	('/test/elsewhere', 'odd-2', 'relais.entity.registered.v1', '2026-11-26 08:02:18.566562+00', 'parked', NULL, 'data.entity_id is required; data.label is required; data.mailbox is required; data.active is required; data.version is required; data.changed_at is required', NULL, NULL),
	('/relais/packages', '5a8b3abb1f354bb3f78a-0', 'relais.package.canceled.v1', '2026-11-26 08:02:18.986908+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '5f84419a5a01808ed6bb-0', 'relais.package.edited.v1', '2026-11-26 08:02:19.133931+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '79d7d961f07fa586f674-0', 'relais.package.canceled.v1', '2026-11-26 08:02:19.703153+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/orders', 'ee4c4266d6362b49a074-0', 'relais.orders.canceled.v1', '2026-11-26 08:02:19.736424+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '81762b17de24cf40dd49-0', 'relais.package.created.v1', '2026-11-26 08:02:19.898222+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '973ffb6870fb34bf4cf4-0', 'relais.package.approved.v1', '2026-11-26 08:02:19.92451+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '7d26c6ce6a78d39355c0-0', 'relais.package.published.v1', '2026-11-26 08:02:19.946109+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', 'f06637a40346eb5bec48-0', 'relais.package.created.v1', '2026-11-26 08:02:20.449896+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '1e7e850a6ae75bfd66b7-0', 'relais.package.submitted.v1', '2026-11-26 08:02:20.485836+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '4c184bdeb17cc4144f0e-0', 'relais.package.rejected.v1', '2026-11-26 08:02:20.512757+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '61c9a183e16e46ce27ca-0', 'relais.package.reinitialized.v1', '2026-11-26 08:02:20.582256+00', 'accepted', NULL, NULL, NULL, NULL);
INSERT INTO public.mailboxes VALUES
	('central', '2026-11-26 08:02:13.450454+00', '2026-11-26 08:02:13.450454+00', NULL),
	('east', '2026-11-26 08:02:15.363072+00', '2026-11-26 08:02:14.563991+00', NULL),
	('west', '2026-11-26 08:02:15.363072+00', '2026-11-26 08:02:14.619314+00', NULL);
INSERT INTO public.notifications VALUES
	(1, 'entity', 'E01', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E02', 'mailbox', 'CAT1', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E03', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E04', 'mailbox', 'CAT1', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E05', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E06', 'mailbox', 'CAT1', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E07', 'mailbox', 'CAT1', NULL, 4, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E08', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E09', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E10', 'mailbox', 'CAT1', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E11', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E12', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E13', 'mailbox', 'CAT1', NULL, 5, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E14', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E15', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E16', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E17', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E18', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E19', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E20', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E21', 'mailbox', 'CAT1', NULL, 9, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E22', 'mailbox', 'CAT1', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E23', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E24', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E25', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E26', 'mailbox', 'CAT1', NULL, 5, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E27', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E28', 'mailbox', 'CAT1', NULL, 8, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E29', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E30', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E31', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E32', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E33', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E34', 'mailbox', 'CAT1', NULL, 9, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E35', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E36', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E37', 'mailbox', 'CAT1', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E38', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E39', 'mailbox', 'CAT1', NULL, 5, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E40', 'mailbox', 'CAT1', NULL, 8, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E41', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(1, 'entity', 'E42', 'mailbox', 'CAT1', NULL, 4, 1, 'sent', NULL, '2026-11-26 08:02:16.102934+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(2, 'entity', 'E01', 'mailbox', 'CAT2', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.126387+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(2, 'entity', 'E02', 'mailbox', 'CAT2', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:16.126387+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(2, 'entity', 'E03', 'mailbox', 'CAT2', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:16.126387+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(3, 'entity', 'E01', 'mailbox', 'CAT7', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.13223+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(3, 'entity', 'E02', 'mailbox', 'CAT7', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:16.13223+00', '2026-11-26 08:02:16.187394+00', '2026-11-26 08:02:16.187394+00'),
	(4, 'entity', 'E01', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.951776+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(5, 'entity', 'E09', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:16.96636+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(6, 'entity', 'E17', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:16.977659+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00');
INSERT INTO public.notifications VALUES
	(7, 'entity', 'E25', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:16.983595+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(8, 'entity', 'E33', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:16.988761+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(9, 'entity', 'E06', 'mailbox', 'CAT1', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:16.993761+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(10, 'entity', 'E15', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:17.003058+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(11, 'entity', 'E34', 'mailbox', 'CAT1', NULL, 9, 1, 'sent', NULL, '2026-11-26 08:02:17.012525+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(12, 'entity', 'E03', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:17.022926+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(13, 'entity', 'E19', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:17.036304+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(14, 'entity', 'E31', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:17.043448+00', '2026-11-26 08:02:17.080436+00', '2026-11-26 08:02:17.080436+00'),
	(15, 'entity', 'E03', 'mailbox', 'CAT2', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:17.290734+00', '2026-11-26 08:02:17.314292+00', '2026-11-26 08:02:17.314292+00'),
	(15, 'entity', 'E01', 'mailbox', 'CAT2', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:17.290734+00', '2026-11-26 08:02:17.314292+00', '2026-11-26 08:02:17.314292+00'),
	(15, 'entity', 'E02', 'mailbox', 'CAT2', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:17.290734+00', '2026-11-26 08:02:17.314292+00', '2026-11-26 08:02:17.314292+00'),
	(17, 'entity', 'E04', 'mailbox', 'CAT3', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E03', 'mailbox', 'CAT3', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E01', 'mailbox', 'CAT3', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E02', 'mailbox', 'CAT3', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(3, 'entity', 'E99', 'mailbox', 'CAT7', NULL, 14, 0, 'superseded', NULL, '2026-11-26 08:02:16.13223+00', '2026-11-26 08:02:19.069838+00', NULL),
	(17, 'entity', 'E07', 'mailbox', 'CAT3', NULL, 4, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E10', 'mailbox', 'CAT3', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E06', 'mailbox', 'CAT3', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E05', 'mailbox', 'CAT3', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E09', 'mailbox', 'CAT3', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(17, 'entity', 'E08', 'mailbox', 'CAT3', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:17.968374+00', '2026-11-26 08:02:17.999942+00', '2026-11-26 08:02:17.999942+00'),
	(18, 'entity', 'E01', 'mailbox', 'CAT7', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:19.061308+00', '2026-11-26 08:02:19.081247+00', '2026-11-26 08:02:19.081247+00'),
	(18, 'entity', 'E02', 'mailbox', 'CAT7', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:19.061308+00', '2026-11-26 08:02:19.081247+00', '2026-11-26 08:02:19.081247+00'),
	(18, 'entity', 'E99', 'mailbox', 'CAT7', NULL, 14, 0, 'pending', 'unknown_entity', '2026-11-26 08:02:19.061308+00', '2026-11-26 08:02:20.090097+00', NULL),
	(1, 'entity', 'E43', 'mailbox', 'CAT1', NULL, 10, 0, 'superseded', NULL, '2026-11-26 08:02:19.146331+00', '2026-11-26 08:02:19.804199+00', NULL),
	(20, 'entity', 'E06', 'mailbox', 'CAT1', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:19.790481+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E05', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E09', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E07', 'mailbox', 'CAT1', NULL, 4, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E03', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:19.790481+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E04', 'mailbox', 'CAT1', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E10', 'mailbox', 'CAT1', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E01', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E08', 'mailbox', 'CAT1', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E02', 'mailbox', 'CAT1', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:19.736424+00', '2026-11-26 08:02:19.826852+00', '2026-11-26 08:02:19.826852+00'),
	(20, 'entity', 'E13', 'mailbox', 'CAT1', NULL, 5, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E11', 'mailbox', 'CAT1', NULL, 6, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E14', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E18', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E19', 'mailbox', 'CAT1', NULL, 11, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E16', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E17', 'mailbox', 'CAT1', NULL, 15, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E15', 'mailbox', 'CAT1', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E12', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E20', 'mailbox', 'CAT1', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:19.961396+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E06', 'mailbox', 'CAT5', NULL, 0, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E05', 'mailbox', 'CAT5', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E09', 'mailbox', 'CAT5', NULL, 1, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E07', 'mailbox', 'CAT5', NULL, 4, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00');
INSERT INTO public.notifications VALUES
	(22, 'entity', 'E03', 'mailbox', 'CAT5', NULL, 10, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E04', 'mailbox', 'CAT5', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E10', 'mailbox', 'CAT5', NULL, 12, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E01', 'mailbox', 'CAT5', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E08', 'mailbox', 'CAT5', NULL, 13, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(22, 'entity', 'E02', 'mailbox', 'CAT5', NULL, 14, 1, 'sent', NULL, '2026-11-26 08:02:19.972783+00', '2026-11-26 08:02:20.017098+00', '2026-11-26 08:02:20.017098+00'),
	(20, 'entity', 'E21', 'mailbox', 'CAT1', NULL, 9, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E22', 'mailbox', 'CAT1', NULL, 12, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E23', 'mailbox', 'CAT1', NULL, 1, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E24', 'mailbox', 'CAT1', NULL, 6, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E25', 'mailbox', 'CAT1', NULL, 15, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E26', 'mailbox', 'CAT1', NULL, 5, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E27', 'mailbox', 'CAT1', NULL, 10, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E28', 'mailbox', 'CAT1', NULL, 8, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E29', 'mailbox', 'CAT1', NULL, 11, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(20, 'entity', 'E30', 'mailbox', 'CAT1', NULL, 6, 0, 'pending', NULL, '2026-11-26 08:02:20.139468+00', NULL, NULL),
	(22, 'entity', 'E11', 'mailbox', 'CAT5', NULL, 6, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E12', 'mailbox', 'CAT5', NULL, 10, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E13', 'mailbox', 'CAT5', NULL, 5, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E14', 'mailbox', 'CAT5', NULL, 11, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E15', 'mailbox', 'CAT5', NULL, 1, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E16', 'mailbox', 'CAT5', NULL, 15, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E17', 'mailbox', 'CAT5', NULL, 15, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E18', 'mailbox', 'CAT5', NULL, 11, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E19', 'mailbox', 'CAT5', NULL, 11, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(22, 'entity', 'E20', 'mailbox', 'CAT5', NULL, 10, 0, 'pending', NULL, '2026-11-26 08:02:20.143161+00', NULL, NULL),
	(23, 'operator', 'OPR1', 'mailbox', 'CAT10', 'M. Durand', 12, 0, 'pending', NULL, '2026-11-26 08:02:20.512757+00', NULL, NULL);
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES
	(19, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', '143beb9e55dbd0c2c198-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2231343362656239653535646264306332633139382d30222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a226e6f74696669636174696f6e73222c22646f6e65223a31302c226578706563746564223a34337d7d', '2026-11-26 08:02:24.827066+00', false),
	(16, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', 'b44701a77a134e359d91-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2262343437303161373761313334653335396439312d30222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3730333135335a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a226e6f74696669636174696f6e73222c22646f6e65223a302c226578706563746564223a34337d7d', '2026-11-26 08:02:24.70337+00', false),
	(17, 'relais.events', 'relais.notification.superseded.v1', 'relais.notification.superseded.v1', '18d113defab58749528a-0', 'package.edit-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2231386431313364656661623538373439353238612d30222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e737570657273656465642e7631222c227375626a656374223a22453433222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e656469742d43415431222c22636175736174696f6e6964223a2235663834343139613561303138303865643662622d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223236663533333633613034343532623538393261383431306338396336383032222c226b696e64223a227061636b6167655f617661696c61626c65222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453433222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273757065727365646564222c22617474656d707473223a302c226572726f72223a6e756c6c2c2273656e745f6174223a6e756c6c7d7d', '2026-11-26 08:02:24.827066+00', false),
	(18, 'relais.events', 'relais.notification.sent.v1', 'relais.notification.sent.v1', 'f733ed97ed3fc1550dd9-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents-batch+json', true, '\x5b7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d30222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453036222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a226537353735393238633137643562313239656633656163346534383963396634222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453036222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d31222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453035222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223961363966323239656331333561316639666162656539333463353661656535222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453035222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d32222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453039222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223039316239326639373431353532396362376162396637653730623130373434222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453039222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d33222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453037222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a226461383238666163623334653535633162366161306432343861336564313334222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453037222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d34222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453033222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a226461656366306538383733633563353762663137363464626634653438303638222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453033222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d35222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453034222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223932393066643063643365353530313339393132396534373436366335656531222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453034222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d36222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453130222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223562326462306332396466363530373939376532353435333133636136313630222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453130222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d37222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453031222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223237646664363465653830653565343939373566636430636638653366626337222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453031222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d38222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453038222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a226666343764323437383763343537363339393833663737346138326236396637222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453038222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d2c7b227370656376657273696f6e223a22312e30222c226964223a2266373333656439376564336663313535306464392d39222c22736f75726365223a222f72656c6169732f6e6f74696669636174696f6e73222c2274797065223a2272656c6169732e6e6f74696669636174696f6e2e73656e742e7631222c227375626a656374223a22453032222c2274696d65223a22323032362d31312d32365430383a30323a31392e3832363835325a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226e6f74696669636174696f6e5f6964223a223331313132303361333438373561313661346463383238373265623265636635222c226b696e64223a227061636b6167655f63616e63656c6564222c22726563697069656e745f74797065223a22656e74697479222c22726563697069656e745f6964223a22453032222c226368616e6e656c223a226d61696c626f78222c227061636b6167655f6964223a2243415431222c2265646974696f6e223a312c226f726465725f6964223a6e756c6c2c22737461747573223a2273656e74222c22617474656d707473223a312c226572726f72223a6e756c6c2c2273656e745f6174223a22323032362d31312d32365430383a30323a31392e3832363835325a227d7d5d', '2026-11-26 08:02:24.827066+00', false);
INSERT INTO public.packages VALUES
	('CAT3', 3, 1, 'Package CAT3', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, '5ad99ac5573c60cc395dda5a82ff06b35a77a3205f90352e546ffdc6cad1cc08'),
	('CAT7', 4, 1, 'Package CAT7', 'collaborative_simple', 'OP7', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, '325724fd5df821a082f792649d207518fbbaee0fdcb4a03ac6d2169368ec4917'),
	('CAT1', 5, 1, 'Package CAT1', 'collaborative_simple', 'OP1', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, 'beb6375c27a174a0431cb01260b38bec1bf20db2fdc94f56961dc84ac274b587'),
	('CAT5', 3, 1, 'Package CAT5', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, '3b5604c8854e654d6e31d67ed689f02f067aa5f2574046d57af9bb6bf35818a3'),
	('CAT10', 3, 1, 'Package CAT10', 'collaborative_simple', 'OP3', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, 'cf0b150918e1660867efaac2ba00620dff8a4fe0259b1552f160dbd65918f63b'),
	('CAT2', 5, 2, 'Package CAT2', 'collaborative_simple', 'OP2', '2020-01-01 00:00:00+00', '2099-12-31 00:00:00+00', NULL, NULL, NULL, 'c9d4f28ea783736fbbef5085ab75b2c81d8330a269c4e7b57b08543ae879b0d1');
INSERT INTO public.parked OVERRIDING SYSTEM VALUE VALUES
	(1, '512275e138c5fd90510b030c0e0bffbd1a2d7ea09383fb93233a935dbdbc277c', 'invalid', 'data.entity_id is required; data.label is required; data.mailbox is required; data.active is required; data.version is required; data.changed_at is required', NULL, '/test/elsewhere', 'odd-2', 'relais.entity.registered.v1', 'relais.events', 'relais.entity.registered.v1', NULL, NULL, 'odd-2', '{"partitionkey": "CAT3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a226f64642d32222c22736f75726365223a222f746573742f656c73657768657265222c2274797065223a2272656c6169732e656e746974792e726567697374657265642e7631222c227375626a656374223a22453031227d', '2026-11-26 08:02:18.566562+00', NULL);
INSERT INTO public.rounds VALUES
	(2, NULL, '2026-11-26 08:02:13.450454+00', '2026-11-26 08:02:13.450454+00'),
	(3, NULL, '2026-11-26 08:02:13.450454+00', '2026-11-26 08:02:13.450454+00'),
	(7, NULL, '2026-11-26 08:02:13.450454+00', '2026-11-26 08:02:13.450454+00'),
	(0, NULL, '2026-11-26 08:02:20.017409+00', '2026-11-26 08:02:20.017409+00'),
	(4, NULL, '2026-11-26 08:02:20.017409+00', '2026-11-26 08:02:20.017409+00'),
	(13, NULL, '2026-11-26 08:02:20.017409+00', '2026-11-26 08:02:20.017409+00'),
	(1, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(5, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(6, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(8, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:16.187591+00'),
	(9, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:17.080607+00'),
	(10, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(11, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(12, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(14, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00'),
	(15, '52ae67ff-d443-473e-a74b-8cca9276ee21', '2026-11-26 08:02:25.146438+00', '2026-11-26 08:02:20.017409+00');
INSERT INTO public.schema_migrations VALUES
	('runtime/0001_runtime', 'bc0928ce1b42005c7655d585c4047dcfd399d165939b912bb1e56c44fe8f4e1c', '2026-11-26 08:02:13.377631+00'),
	('runtime/0002_cleaning', '3486da17e05f7bcaba59d07c3d6d9cddc0416c6bb2cae82e381a775c580d1f0c', '2026-11-26 08:02:13.437267+00'),
	('notifications/0001_notifications', '1bd29e3857bf2b105adc341d486f34cfd1c759a20487dca956e86d6f0416dec3', '2026-11-26 08:02:13.450454+00');
SELECT pg_catalog.setval('public.fanouts_fanout_id_seq', 9, true);
SELECT pg_catalog.setval('public.happenings_happening_id_seq', 23, true);
SELECT pg_catalog.setval('public.outbox_id_seq', 22, true);
SELECT pg_catalog.setval('public.parked_number_seq', 1, true);
SELECT pg_catalog.setval('public.waiting_number_seq', 1, false);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.cancels
    ADD CONSTRAINT cancels_pkey PRIMARY KEY (package_id, edition);
ALTER TABLE ONLY public.entities
    ADD CONSTRAINT entities_pkey PRIMARY KEY (entity_id);
ALTER TABLE ONLY public.fanouts
    ADD CONSTRAINT fanouts_pkey PRIMARY KEY (fanout_id);
ALTER TABLE ONLY public.happenings
    ADD CONSTRAINT happenings_pkey PRIMARY KEY (happening_id);
ALTER TABLE ONLY public.happenings
    ADD CONSTRAINT happenings_subject_kind_edition_happening_key UNIQUE (subject, kind, edition, happening);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.mailboxes
    ADD CONSTRAINT mailboxes_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (happening_id, recipient_id, recipient_type, channel);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.packages
    ADD CONSTRAINT packages_pkey PRIMARY KEY (package_id);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.rounds
    ADD CONSTRAINT rounds_pkey PRIMARY KEY (round);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (number);
CREATE INDEX cancels_running ON public.cancels USING btree (started_at) WHERE (completed_at IS NULL);
CREATE INDEX emitted_at ON public.emitted USING btree (at);
CREATE INDEX fanouts_package ON public.fanouts USING btree (package_id, happening_id);
CREATE INDEX inbox_received ON public.inbox USING btree (received_at);
CREATE INDEX mailboxes_undeclared ON public.mailboxes USING btree (next_try_at) WHERE (declared_at IS NULL);
CREATE INDEX notifications_again ON public.notifications USING btree (round, next_try_at, happening_id) WHERE ((status = 'pending'::text) AND (next_try_at IS NOT NULL));
CREATE INDEX notifications_line ON public.notifications USING btree (package_id, recipient_id, happening_id) WHERE ((status = 'pending'::text) AND (next_try_at IS NOT NULL));
CREATE INDEX notifications_new ON public.notifications USING btree (round, happening_id) WHERE ((status = 'pending'::text) AND (next_try_at IS NULL));
CREATE INDEX parked_message ON public.parked USING btree (source, id);
CREATE INDEX parked_retry ON public.parked USING btree (retry_at) WHERE (retry_at IS NOT NULL);

