CREATE TABLE public.attempts (
    digest text NOT NULL,
    count integer NOT NULL,
    last timestamp with time zone NOT NULL
);
CREATE TABLE public.campaigns (
    campaign_id text NOT NULL,
    label text NOT NULL,
    kind text NOT NULL,
    distribution_level text NOT NULL,
    program text,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    max_documents integer,
    status text NOT NULL,
    version integer NOT NULL,
    package_id text,
    edition integer,
    order_id text,
    parent_id text,
    process_ids text[],
    canceled_at timestamp with time zone,
    canceled_by_package text,
    canceled_by_edition integer,
    changed_at timestamp with time zone NOT NULL,
    changed_by text
)
WITH (fillfactor='70');
CREATE TABLE public.emitted (
    run text NOT NULL,
    type text NOT NULL,
    count integer NOT NULL,
    at timestamp with time zone NOT NULL
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
CREATE TABLE public.jobs (
    package_id text NOT NULL,
    edition integer NOT NULL,
    kind text NOT NULL,
    campaign_id text NOT NULL,
    after_campaign text NOT NULL,
    after_process text,
    visited integer NOT NULL,
    expected integer NOT NULL,
    campaigns integer NOT NULL,
    processes_stopped integer NOT NULL,
    too_late integer NOT NULL,
    done boolean NOT NULL,
    cause jsonb NOT NULL
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
CREATE TABLE public.processes (
    campaign_id text NOT NULL,
    process_id text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    channel text,
    status text NOT NULL,
    version integer NOT NULL,
    detail text,
    changed_at timestamp with time zone NOT NULL
)
WITH (fillfactor='60');
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
INSERT INTO public.campaigns VALUES
	('OP3', 'Campaign OP3', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'started', 2, NULL, NULL, NULL, NULL, '{DM1,DM2}', NULL, NULL, NULL, '2026-11-26 08:02:15.614017+00', 'm.durand'),
	('OP2', 'Campaign OP2', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'canceled', 3, NULL, NULL, NULL, NULL, '{DM1,DM2,DM3}', '2026-11-26 08:02:17.256542+00', 'CAT2', 1, '2026-11-26 08:02:17.256542+00', 'm.durand'),
	('OP8', 'Campaign OP8', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'being_edited', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 08:02:17.914498+00', 'm.durand'),
	('OP7', 'Campaign OP7', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'canceled', 2, NULL, NULL, NULL, NULL, '{DM1,DM2}', '2026-11-26 08:02:19.015405+00', 'CAT7', 1, '2026-11-26 08:02:19.015405+00', 'm.durand'),
	('OP1', 'Campaign OP1', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'canceled', 3, NULL, NULL, NULL, NULL, '{DM1,DM2,DM3,WKF4,WKF5,WKF6,WKF7,WKF8}', '2026-11-26 08:02:19.766457+00', 'CAT1', 1, '2026-11-26 08:02:19.766457+00', 'm.durand'),
	('OP4', 'Campaign OP4', 'reference', 'collaborative_simple', NULL, NULL, NULL, NULL, 'being_edited', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-26 08:02:20.277971+00', 'm.durand');
INSERT INTO public.emitted VALUES
	('3093f916395f42ba0bad', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:15.437446+00'),
	('a6cd3cc5cb31ce2ae6dc', 'relais.campaign.started.v1', 1, '2026-11-26 08:02:15.518107+00'),
	('613c15e75f0c4538e9c2', 'relais.process.started.v1', 8, '2026-11-26 08:02:15.518107+00'),
	('66756b44c44b5add6353', 'relais.process.finished.v1', 1, '2026-11-26 08:02:15.532964+00'),
	('9870d316538fc4774c56', 'relais.process.failed.v1', 1, '2026-11-26 08:02:15.547207+00'),
	('bc8ab8c875e823c8e188', 'relais.process.paused.v1', 1, '2026-11-26 08:02:15.562326+00'),
	('e633a0df8d3bdcac5ea8', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:15.57244+00'),
	('d967a5b8001fc92e4091', 'relais.campaign.started.v1', 1, '2026-11-26 08:02:15.586075+00'),
	('f41dfbc8e3de3d8c4e49', 'relais.process.started.v1', 3, '2026-11-26 08:02:15.586075+00'),
	('a709a71abe47a340f3cb', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:15.600564+00'),
	('bcdb71701569de5d519e', 'relais.campaign.started.v1', 1, '2026-11-26 08:02:15.614017+00'),
	('72a68e9a5c2d922eca4f', 'relais.process.started.v1', 2, '2026-11-26 08:02:15.614017+00'),
	('d93bae2495a3ad5dd2e1', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:15.622709+00'),
	('131caccb3136317af797', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.180104+00'),
	('ced54c37c25fcb02c348', 'relais.campaign.canceled.v1', 1, '2026-11-26 08:02:17.256542+00'),
	('25c5fb020df66915c835', 'relais.process.stopped.v1', 3, '2026-11-26 08:02:17.256542+00'),
	('ee7ec2ee558a20f8c4b5', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:17.256542+00'),
	('50975be48361e2beccb5', 'relais.package.campaigns_canceled.v1', 1, '2026-11-26 08:02:17.272389+00'),
	('e0fa10251a2d51e05b1e', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:17.914498+00'),
	('b7bca52a8c558449b7ef', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.719634+00'),
	('8cc4f60feb222a63443b', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:18.968305+00'),
	('11a53a00afe705f3c6a8', 'relais.campaign.canceled.v1', 1, '2026-11-26 08:02:19.015405+00'),
	('581f088d576bfff1dcc1', 'relais.process.stopped.v1', 2, '2026-11-26 08:02:19.015405+00'),
	('346490664acbe47e40d7', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.015405+00'),
	('05de2e97e600ce6664ad', 'relais.package.campaigns_canceled.v1', 1, '2026-11-26 08:02:19.030299+00'),
	('0a2002f82fe7e77ff561', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.666417+00'),
	('60cdbdb42d1774871d97', 'relais.campaign.canceled.v1', 1, '2026-11-26 08:02:19.766457+00'),
	('0ec6ea4eb6f65ce23dc4', 'relais.process.stopped.v1', 1, '2026-11-26 08:02:19.766457+00'),
	('2b5e7a24f4d04e16467b', 'relais.package.cancellation_progressed.v1', 1, '2026-11-26 08:02:19.766457+00'),
	('bcdd3d798e68a43f0c25', 'relais.campaign.created.v1', 1, '2026-11-26 08:02:20.277971+00');
INSERT INTO public.inbox VALUES
	('/upstream/erp', 'campaign.create-OP1', 'relais.campaign.create.v1', '2026-11-26 08:02:15.437446+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'campaign.start-OP1', 'relais.campaign.start.v1', '2026-11-26 08:02:15.518107+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'process.report-OP1', 'relais.process.report.v1', '2026-11-26 08:02:15.532964+00', 'accepted', NULL, NULL, 3, NULL),
	('/upstream/erp', 'report-2', 'relais.process.report.v1', '2026-11-26 08:02:15.547207+00', 'accepted', NULL, NULL, 3, NULL),
	('/upstream/erp', 'report-3', 'relais.process.report.v1', '2026-11-26 08:02:15.562326+00', 'accepted', NULL, NULL, 3, NULL),
	('/upstream/erp', 'campaign.create-OP2', 'relais.campaign.create.v1', '2026-11-26 08:02:15.57244+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'campaign.start-OP2', 'relais.campaign.start.v1', '2026-11-26 08:02:15.586075+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'campaign.create-OP3', 'relais.campaign.create.v1', '2026-11-26 08:02:15.600564+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'campaign.start-OP3', 'relais.campaign.start.v1', '2026-11-26 08:02:15.614017+00', 'accepted', NULL, NULL, 2, NULL),
	('/upstream/erp', 'campaign.create-OP7', 'relais.campaign.create.v1', '2026-11-26 08:02:15.622709+00', 'accepted', NULL, NULL, 1, NULL),
	('/relais/packages', 'f021c84cc1f8ede5a7a0-0', 'relais.package.canceled.v1', '2026-11-26 08:02:17.180104+00', 'accepted', NULL, NULL, NULL, NULL),
	('/upstream/erp', 'campaign.create-OP8', 'relais.campaign.create.v1', '2026-11-26 08:02:17.914498+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'report-P', 'relais.process.report.v1', '2026-11-26 08:02:18.719634+00', 'parked', NULL, 'RuntimeError: cannot be handled before somebody has mended this', NULL, NULL),
	('/relais/packages', '5a8b3abb1f354bb3f78a-0', 'relais.package.canceled.v1', '2026-11-26 08:02:18.968305+00', 'accepted', NULL, NULL, NULL, NULL),
	('/relais/packages', '79d7d961f07fa586f674-0', 'relais.package.canceled.v1', '2026-11-26 08:02:19.666417+00', 'accepted', NULL, NULL, NULL, NULL),
	('/upstream/erp', 'campaign.create-OP4', 'relais.campaign.create.v1', '2026-11-26 08:02:20.277971+00', 'accepted', NULL, NULL, 1, NULL),
	('/relais/packages', '61c9a183e16e46ce27ca-0', 'relais.package.reinitialized.v1', '2026-11-26 08:02:20.550899+00', 'accepted', NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES
	('CAT2', 1, 'cancel', 'OP2', 'OP2', NULL, 4, 4, 1, 3, 0, true, '{"actor": "m.durand", "causationid": "f021c84cc1f8ede5a7a0-0", "traceparent": null, "correlationid": "package.cancel-CAT2"}'),
	('CAT7', 1, 'cancel', 'OP7', 'OP7', NULL, 3, 3, 1, 2, 0, true, '{"actor": "m.durand", "causationid": "5a8b3abb1f354bb3f78a-0", "traceparent": null, "correlationid": "package.cancel-CAT7"}'),
	('CAT1', 1, 'cancel', 'OP1', 'OP1', 'DM3', 4, 9, 1, 1, 2, false, '{"actor": "m.durand", "causationid": "79d7d961f07fa586f674-0", "traceparent": null, "correlationid": "package.cancel-CAT1"}'),
	('CAT2', 2, 'reinitialize', 'OP2', '', NULL, 0, 0, 0, 0, 0, false, '{"actor": "m.durand", "causationid": "61c9a183e16e46ce27ca-0", "traceparent": null, "correlationid": "package.reinitialize-CAT2"}');
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES
	(20, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', 'b7bca52a8c558449b7ef-0', 'report-P', 'campaigns', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2262376263613532613863353538343439623765662d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a2263616d706169676e73222c2274696d65223a22323032362d31312d32365430383a30323a31382e3731393633345a222c22706172746974696f6e6b6579223a2263616d706169676e73222c22636f7272656c6174696f6e6964223a227265706f72742d50222c22636175736174696f6e6964223a227265706f72742d50222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a2263616d706169676e73222c22726561736f6e223a226661696c6564222c226d6573736167655f6964223a227265706f72742d50222c2274797065223a2272656c6169732e70726f636573732e7265706f72742e7631222c227061636b6167655f6964223a6e756c6c2c226572726f72223a2252756e74696d654572726f723a2063616e6e6f742062652068616e646c6564206265666f726520736f6d65626f647920686173206d656e6465642074686973227d7d', '2026-11-26 08:02:23.719785+00', false),
	(26, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', '0a2002f82fe7e77ff561-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2230613230303266383266653765373766663536312d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3636363431375a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a2263616d706169676e73222c22646f6e65223a302c226578706563746564223a397d7d', '2026-11-26 08:02:24.669313+00', false),
	(27, 'relais.events', 'relais.campaign.canceled.v1', 'relais.campaign.canceled.v1', '60cdbdb42d1774871d97-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2236306364626462343264313737343837316439372d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e63616d706169676e2e63616e63656c65642e7631222c227375626a656374223a224f5031222c2274696d65223a22323032362d31312d32365430383a30323a31392e3736363435375a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2263616d706169676e5f6964223a224f5031222c226c6162656c223a2243616d706169676e204f5031222c226b696e64223a227265666572656e6365222c22646973747269627574696f6e5f6c6576656c223a22636f6c6c61626f7261746976655f73696d706c65222c2270726f6772616d223a6e756c6c2c227374617274735f6174223a6e756c6c2c22656e64735f6174223a6e756c6c2c226d61785f646f63756d656e7473223a6e756c6c2c22737461747573223a2263616e63656c6564222c2276657273696f6e223a332c227061636b6167655f6964223a6e756c6c2c226f726465725f6964223a6e756c6c2c22706172656e745f6964223a6e756c6c2c2270726f636573735f696473223a5b22444d31222c22444d32222c22444d33222c22574b4634222c22574b4635222c22574b4636222c22574b4637222c22574b4638225d2c2263616e63656c65645f6174223a22323032362d31312d32365430383a30323a31392e3736363435375a222c226368616e6765645f6174223a22323032362d31312d32365430383a30323a31392e3736363435375a222c226368616e6765645f6279223a226d2e647572616e64222c2263616e63656c65645f6279223a7b227061636b6167655f6964223a2243415431222c2265646974696f6e223a317d7d7d', '2026-11-26 08:02:24.766662+00', false),
	(28, 'relais.events', 'relais.process.stopped.v1', 'relais.process.stopped.v1', '0ec6ea4eb6f65ce23dc4-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2230656336656134656236663635636532336463342d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e70726f636573732e73746f707065642e7631222c227375626a656374223a224f5031222c2274696d65223a22323032362d31312d32365430383a30323a31392e3736363435375a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2270726f636573735f6964223a22444d33222c2263616d706169676e5f6964223a224f5031222c226b696e64223a2264656c6976657279222c226c6162656c223a2250726f636573732033222c226368616e6e656c223a6e756c6c2c22737461747573223a2273746f70706564222c2276657273696f6e223a332c2264657461696c223a6e756c6c2c226368616e6765645f6174223a22323032362d31312d32365430383a30323a31392e3736363435375a227d7d', '2026-11-26 08:02:24.766662+00', false),
	(29, 'relais.events', 'relais.package.cancellation_progressed.v1', 'relais.package.cancellation_progressed.v1', '2b5e7a24f4d04e16467b-0', 'package.cancel-CAT1', 'CAT1', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2232623565376132346634643034653136343637622d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e7061636b6167652e63616e63656c6c6174696f6e5f70726f677265737365642e7631222c227375626a656374223a2243415431222c2274696d65223a22323032362d31312d32365430383a30323a31392e3736363435375a222c22706172746974696f6e6b6579223a2243415431222c22636f7272656c6174696f6e6964223a227061636b6167652e63616e63656c2d43415431222c22636175736174696f6e6964223a2237396437643936316630376661353836663637342d30222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2265646974696f6e223a312c2273657276696365223a2263616d706169676e73222c22646f6e65223a342c226578706563746564223a397d7d', '2026-11-26 08:02:24.766662+00', false),
	(30, 'relais.events', 'relais.campaign.created.v1', 'relais.campaign.created.v1', 'bcdd3d798e68a43f0c25-0', 'campaign.create-OP4', 'OP4', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2262636464336437393865363861343366306332352d30222c22736f75726365223a222f72656c6169732f63616d706169676e73222c2274797065223a2272656c6169732e63616d706169676e2e637265617465642e7631222c227375626a656374223a224f5034222c2274696d65223a22323032362d31312d32365430383a30323a32302e3237373937315a222c22706172746974696f6e6b6579223a224f5034222c22636f7272656c6174696f6e6964223a2263616d706169676e2e6372656174652d4f5034222c22636175736174696f6e6964223a2263616d706169676e2e6372656174652d4f5034222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2263616d706169676e5f6964223a224f5034222c226c6162656c223a2243616d706169676e204f5034222c226b696e64223a227265666572656e6365222c22646973747269627574696f6e5f6c6576656c223a22636f6c6c61626f7261746976655f73696d706c65222c2270726f6772616d223a6e756c6c2c227374617274735f6174223a6e756c6c2c22656e64735f6174223a6e756c6c2c226d61785f646f63756d656e7473223a6e756c6c2c22737461747573223a226265696e675f656469746564222c2276657273696f6e223a312c227061636b6167655f6964223a6e756c6c2c226f726465725f6964223a6e756c6c2c22706172656e745f6964223a6e756c6c2c2270726f636573735f696473223a6e756c6c2c2263616e63656c65645f6174223a6e756c6c2c226368616e6765645f6174223a22323032362d31312d32365430383a30323a32302e3237373937315a222c226368616e6765645f6279223a226d2e647572616e64227d7d', '2026-11-26 08:02:25.278192+00', false);
INSERT INTO public.parked OVERRIDING SYSTEM VALUE VALUES
	(1, '7d4682b922770e6469bbb17db964cf1a854675093f3bde406d3cdaaeb85992d5', 'failed', 'RuntimeError: cannot be handled before somebody has mended this', 'Traceback (most recent call last):
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
', '/upstream/erp', 'report-P', 'relais.process.report.v1', 'relais.commands', 'relais.process.report.v1', NULL, NULL, 'report-P', '{"partitionkey": "OP3"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a227265706f72742d50222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e70726f636573732e7265706f72742e7631222c227375626a656374223a224f5033222c22706172746974696f6e6b6579223a224f5033222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2270726f636573735f6964223a22444d31222c22737461747573223a2266696e6973686564222c2264657461696c223a2273656e7420342c303030227d7d', '2026-11-26 08:02:18.719634+00', NULL);
INSERT INTO public.processes VALUES
	('OP1', 'WKF4', 'workflow', 'Process 4', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.518107+00'),
	('OP1', 'WKF6', 'workflow', 'Process 6', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.518107+00'),
	('OP1', 'WKF7', 'workflow', 'Process 7', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.518107+00'),
	('OP1', 'WKF8', 'workflow', 'Process 8', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.518107+00'),
	('OP1', 'DM1', 'delivery', 'Process 1', NULL, 'finished', 3, NULL, '2026-11-26 08:02:15.532964+00'),
	('OP1', 'DM2', 'delivery', 'Process 2', NULL, 'failed', 3, NULL, '2026-11-26 08:02:15.547207+00'),
	('OP1', 'WKF5', 'workflow', 'Process 5', NULL, 'paused', 3, NULL, '2026-11-26 08:02:15.562326+00'),
	('OP3', 'DM1', 'delivery', 'Process 1', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.614017+00'),
	('OP3', 'DM2', 'delivery', 'Process 2', NULL, 'running', 2, NULL, '2026-11-26 08:02:15.614017+00'),
	('OP2', 'DM1', 'delivery', 'Process 1', NULL, 'stopped', 3, NULL, '2026-11-26 08:02:17.256542+00'),
	('OP2', 'DM2', 'delivery', 'Process 2', NULL, 'stopped', 3, NULL, '2026-11-26 08:02:17.256542+00'),
	('OP2', 'DM3', 'delivery', 'Process 3', NULL, 'stopped', 3, NULL, '2026-11-26 08:02:17.256542+00'),
	('OP7', 'DM1', 'delivery', 'Process 1', NULL, 'stopped', 2, NULL, '2026-11-26 08:02:19.015405+00'),
	('OP7', 'DM2', 'delivery', 'Process 2', NULL, 'stopped', 2, NULL, '2026-11-26 08:02:19.015405+00'),
	('OP1', 'DM3', 'delivery', 'Process 3', NULL, 'stopped', 3, NULL, '2026-11-26 08:02:19.766457+00');
INSERT INTO public.schema_migrations VALUES
	('runtime/0001_runtime', 'bc0928ce1b42005c7655d585c4047dcfd399d165939b912bb1e56c44fe8f4e1c', '2026-11-26 08:02:10.938517+00'),
	('runtime/0002_cleaning', '3486da17e05f7bcaba59d07c3d6d9cddc0416c6bb2cae82e381a775c580d1f0c', '2026-11-26 08:02:10.982223+00'),
	('campaigns/0001_campaigns', '4f721bdf56f14d8ae32b6783a14b88c05cd0d5071b472b62b419043a6aaeae42', '2026-11-26 08:02:10.989867+00'),
	('campaigns/0002_claim', '8efdc28b770b7b0348970c2ec9821e384f9c7d70eb35a5d6d331858b7a1160db', '2026-11-26 08:02:11.011428+00');
INSERT INTO public.waiting OVERRIDING SYSTEM VALUE VALUES
	(1, 'relais.commands', 'relais.process.report.v1', '\x7b227370656376657273696f6e223a22312e30222c226964223a2270726f636573732e7265706f72742d4f50343035222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e70726f636573732e7265706f72742e7631222c227375626a656374223a224f50343035222c22706172746974696f6e6b6579223a224f50343035222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2270726f636573735f6964223a22444d31222c22737461747573223a2266696e6973686564227d7d', NULL, NULL, 'process.report-OP405', '2026-11-26 08:02:17.805848+00');
SELECT pg_catalog.setval('public.outbox_id_seq', 30, true);
SELECT pg_catalog.setval('public.parked_number_seq', 1, true);
SELECT pg_catalog.setval('public.waiting_number_seq', 1, true);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (campaign_id);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (package_id, edition, kind);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.parked
    ADD CONSTRAINT parked_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.processes
    ADD CONSTRAINT processes_pkey PRIMARY KEY (campaign_id, process_id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (number);
CREATE INDEX campaigns_canceled_by ON public.campaigns USING btree (canceled_by_package) WHERE (canceled_by_package IS NOT NULL);
CREATE INDEX campaigns_made_for ON public.campaigns USING btree (package_id, edition, campaign_id) WHERE (package_id IS NOT NULL);
CREATE INDEX emitted_at ON public.emitted USING btree (at);
CREATE INDEX inbox_received ON public.inbox USING btree (received_at);
CREATE INDEX jobs_under_way ON public.jobs USING btree (package_id) WHERE (NOT done);
CREATE INDEX jobs_visited ON public.jobs USING btree (visited) WHERE (NOT done);
CREATE INDEX parked_message ON public.parked USING btree (source, id);
CREATE INDEX parked_retry ON public.parked USING btree (retry_at) WHERE (retry_at IS NOT NULL);

