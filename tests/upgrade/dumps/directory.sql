CREATE TABLE public.attempts (
    digest text NOT NULL,
    count integer NOT NULL,
    last timestamp with time zone NOT NULL
);
CREATE TABLE public.emitted (
    run text NOT NULL,
    type text NOT NULL,
    count integer NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.entities (
    entity_id text NOT NULL,
    label text NOT NULL,
    email text,
    language text,
    channels text[] NOT NULL,
    mailbox text NOT NULL,
    webhook_url text,
    notify jsonb,
    order_reviewers jsonb,
    campaign_reviewers jsonb,
    active boolean NOT NULL,
    version integer NOT NULL,
    changed_at timestamp with time zone NOT NULL
)
WITH (fillfactor='80');
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
INSERT INTO public.emitted VALUES
	('16b265d1d41cd1af8774', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:13.912346+00'),
	('5b7a64f2c6ab81dc05a3', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:13.999425+00'),
	('a4d6bf898f0194735a72', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.022117+00'),
	('18f16d072152f168053c', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.046076+00'),
	('c54e82e39a9e9f5bd851', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.062952+00'),
	('8740bbee3f4f585fbac3', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.079144+00'),
	('89e926bd0f13a054b8e2', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.098574+00'),
	('dd57211a73526eda6442', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.109613+00'),
	('9c09cc377d959c53377d', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.122788+00'),
	('7781c82262c95ca2b261', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.136808+00'),
	('b15a543140776bd0325c', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.14934+00'),
	('d62a6f83ea05724322fe', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.160429+00'),
	('7cad4d7e61d269ea2058', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.171092+00'),
	('f2a0b6a6fb3bc6a82006', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.183045+00'),
	('a9656930e5f610e87e66', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.193849+00'),
	('efaea74ef88e2ce00cfc', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.206246+00'),
	('b265891a485698bf45ad', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.218597+00'),
	('e76d0b4bd128fe6b623b', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.23401+00'),
	('f0e6dd9d323422059674', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.242717+00'),
	('6a26ebc7eaa0f53c0662', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.25303+00'),
	('d1b9580ed30ff0efa2bb', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.268212+00'),
	('d0c9e0f09f70f367c547', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.281517+00'),
	('01f95da2e809220daac2', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.294541+00'),
	('f7c81db5ca30ecfbc130', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.307495+00'),
	('3fa11f71db6edbe9d698', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.318829+00'),
	('abe43bec3208e0e8ca94', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.330931+00'),
	('a477732cbf258fd408f5', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.339733+00'),
	('12b0d58cd0a5ed14ac15', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.348871+00'),
	('80064565ee620c6238bd', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.363009+00'),
	('9c61fad5704ff5180654', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.373451+00'),
	('d2059fef572353cab3b3', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.386479+00'),
	('3c0801a320a33e4b7093', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.394231+00'),
	('4429b4cb68f9ad3ce30c', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.400796+00'),
	('00499358dc44dd2f8b0c', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.407962+00'),
	('4f22b8be246eb86a25fe', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.414868+00'),
	('8afe75a2b8c97c207589', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.420777+00'),
	('39af6076727e4106fc2a', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.435316+00'),
	('ddac50ef5ec389fbcc60', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.449009+00'),
	('55a6244bcf617833b87d', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.461138+00'),
	('2f5766f0af2e3e2b870e', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.474834+00'),
	('ed6ea03952c9f212ab43', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.484307+00'),
	('4a53415f63e5c3af43cb', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.490472+00'),
	('e58caa478d8853e54eff', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.496279+00'),
	('6b4d7efcb8d5ba50ae30', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:14.502899+00'),
	('e0e32050c4b95810dc8b', 'relais.message.parked.v1', 1, '2026-11-26 08:02:18.91276+00'),
	('a720ae51f383d95f00d3', 'relais.entity.registered.v1', 1, '2026-11-26 08:02:20.242224+00');
INSERT INTO public.entities VALUES
	('E01', 'Agency 1', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:13.912346+00'),
	('E02', 'Agency 2', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:13.999425+00'),
	('E03', 'Agency 3', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.022117+00'),
	('E04', 'Agency 4', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.046076+00'),
	('E05', 'Agency 5', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.062952+00'),
	('E06', 'Agency 6', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.079144+00'),
	('E07', 'Agency 7', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.098574+00'),
	('E08', 'Agency 8', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.109613+00'),
	('E09', 'Agency 9', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.122788+00'),
	('E10', 'Agency 10', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.136808+00'),
	('E11', 'Agency 11', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.14934+00'),
	('E12', 'Agency 12', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.160429+00'),
	('E13', 'Agency 13', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.171092+00'),
	('E14', 'Agency 14', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.183045+00'),
	('E15', 'Agency 15', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.193849+00'),
	('E16', 'Agency 16', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.206246+00'),
	('E17', 'Agency 17', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.218597+00'),
	('E18', 'Agency 18', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.23401+00'),
	('E19', 'Agency 19', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.242717+00'),
	('E20', 'Agency 20', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.25303+00'),
	('E21', 'Agency 21', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.268212+00'),
	('E22', 'Agency 22', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.281517+00'),
	('E23', 'Agency 23', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.294541+00'),
	('E24', 'Agency 24', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.307495+00'),
	('E25', 'Agency 25', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.318829+00'),
	('E26', 'Agency 26', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.330931+00'),
	('E27', 'Agency 27', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.339733+00'),
	('E28', 'Agency 28', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.348871+00'),
	('E29', 'Agency 29', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.363009+00'),
	('E30', 'Agency 30', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.373451+00'),
	('E31', 'Agency 31', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.386479+00'),
	('E32', 'Agency 32', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.394231+00'),
	('E33', 'Agency 33', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.400796+00'),
	('E34', 'Agency 34', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.407962+00'),
	('E35', 'Agency 35', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.414868+00'),
	('E36', 'Agency 36', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.420777+00'),
	('E37', 'Agency 37', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.435316+00'),
	('E38', 'Agency 38', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.449009+00'),
	('E39', 'Agency 39', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.461138+00'),
	('E40', 'Agency 40', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.474834+00'),
	('E41', 'Agency 41', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.484307+00'),
	('E42', 'Agency 42', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.490472+00'),
	('E43', 'Agency 43', NULL, NULL, '{mailbox}', 'east', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.496279+00'),
	('E44', 'Agency 44', NULL, NULL, '{mailbox}', 'west', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:14.502899+00'),
	('E50', 'Agency 50', NULL, NULL, '{mailbox}', 'north', NULL, NULL, NULL, NULL, true, 1, '2026-11-26 08:02:20.242224+00');
INSERT INTO public.inbox VALUES
	('/upstream/erp', 'entity.register-E01', 'relais.entity.register.v1', '2026-11-26 08:02:13.912346+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E02', 'relais.entity.register.v1', '2026-11-26 08:02:13.999425+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E03', 'relais.entity.register.v1', '2026-11-26 08:02:14.022117+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E04', 'relais.entity.register.v1', '2026-11-26 08:02:14.046076+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E05', 'relais.entity.register.v1', '2026-11-26 08:02:14.062952+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E06', 'relais.entity.register.v1', '2026-11-26 08:02:14.079144+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E07', 'relais.entity.register.v1', '2026-11-26 08:02:14.098574+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E08', 'relais.entity.register.v1', '2026-11-26 08:02:14.109613+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E09', 'relais.entity.register.v1', '2026-11-26 08:02:14.122788+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E10', 'relais.entity.register.v1', '2026-11-26 08:02:14.136808+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E11', 'relais.entity.register.v1', '2026-11-26 08:02:14.14934+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E12', 'relais.entity.register.v1', '2026-11-26 08:02:14.160429+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E13', 'relais.entity.register.v1', '2026-11-26 08:02:14.171092+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E14', 'relais.entity.register.v1', '2026-11-26 08:02:14.183045+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E15', 'relais.entity.register.v1', '2026-11-26 08:02:14.193849+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E16', 'relais.entity.register.v1', '2026-11-26 08:02:14.206246+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E17', 'relais.entity.register.v1', '2026-11-26 08:02:14.218597+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E18', 'relais.entity.register.v1', '2026-11-26 08:02:14.23401+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E19', 'relais.entity.register.v1', '2026-11-26 08:02:14.242717+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E20', 'relais.entity.register.v1', '2026-11-26 08:02:14.25303+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E21', 'relais.entity.register.v1', '2026-11-26 08:02:14.268212+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E22', 'relais.entity.register.v1', '2026-11-26 08:02:14.281517+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E23', 'relais.entity.register.v1', '2026-11-26 08:02:14.294541+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E24', 'relais.entity.register.v1', '2026-11-26 08:02:14.307495+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E25', 'relais.entity.register.v1', '2026-11-26 08:02:14.318829+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E26', 'relais.entity.register.v1', '2026-11-26 08:02:14.330931+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E27', 'relais.entity.register.v1', '2026-11-26 08:02:14.339733+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E28', 'relais.entity.register.v1', '2026-11-26 08:02:14.348871+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E29', 'relais.entity.register.v1', '2026-11-26 08:02:14.363009+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E30', 'relais.entity.register.v1', '2026-11-26 08:02:14.373451+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E31', 'relais.entity.register.v1', '2026-11-26 08:02:14.386479+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E32', 'relais.entity.register.v1', '2026-11-26 08:02:14.394231+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E33', 'relais.entity.register.v1', '2026-11-26 08:02:14.400796+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E34', 'relais.entity.register.v1', '2026-11-26 08:02:14.407962+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E35', 'relais.entity.register.v1', '2026-11-26 08:02:14.414868+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E36', 'relais.entity.register.v1', '2026-11-26 08:02:14.420777+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E37', 'relais.entity.register.v1', '2026-11-26 08:02:14.435316+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E38', 'relais.entity.register.v1', '2026-11-26 08:02:14.449009+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E39', 'relais.entity.register.v1', '2026-11-26 08:02:14.461138+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E40', 'relais.entity.register.v1', '2026-11-26 08:02:14.474834+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E41', 'relais.entity.register.v1', '2026-11-26 08:02:14.484307+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E42', 'relais.entity.register.v1', '2026-11-26 08:02:14.490472+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E43', 'relais.entity.register.v1', '2026-11-26 08:02:14.496279+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.register-E44', 'relais.entity.register.v1', '2026-11-26 08:02:14.502899+00', 'accepted', NULL, NULL, 1, NULL),
	('/upstream/erp', 'entity.update-E44', 'relais.entity.update.v1', '2026-11-26 08:02:18.91276+00', 'parked', NULL, 'RuntimeError: cannot be handled before somebody has mended this', NULL, NULL),
	('/upstream/erp', 'entity.register-E50', 'relais.entity.register.v1', '2026-11-26 08:02:20.242224+00', 'accepted', NULL, NULL, 1, NULL);
INSERT INTO public.outbox OVERRIDING SYSTEM VALUE VALUES
	(45, 'relais.events', 'relais.message.parked.v1', 'relais.message.parked.v1', 'e0e32050c4b95810dc8b-0', 'entity.update-E44', 'directory', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2265306533323035306334623935383130646338622d30222c22736f75726365223a222f72656c6169732f6469726563746f7279222c2274797065223a2272656c6169732e6d6573736167652e7061726b65642e7631222c227375626a656374223a226469726563746f7279222c2274696d65223a22323032362d31312d32365430383a30323a31382e3931323736305a222c22706172746974696f6e6b6579223a226469726563746f7279222c22636f7272656c6174696f6e6964223a22656e746974792e7570646174652d453434222c22636175736174696f6e6964223a22656e746974792e7570646174652d453434222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b2273657276696365223a226469726563746f7279222c22726561736f6e223a226661696c6564222c226d6573736167655f6964223a22656e746974792e7570646174652d453434222c2274797065223a2272656c6169732e656e746974792e7570646174652e7631222c227061636b6167655f6964223a6e756c6c2c226572726f72223a2252756e74696d654572726f723a2063616e6e6f742062652068616e646c6564206265666f726520736f6d65626f647920686173206d656e6465642074686973227d7d', '2026-11-26 08:02:23.917261+00', true),
	(46, 'relais.events', 'relais.entity.registered.v1', 'relais.entity.registered.v1', 'a720ae51f383d95f00d3-0', 'entity.register-E50', 'E50', 'application/cloudevents+json', true, '\x7b227370656376657273696f6e223a22312e30222c226964223a2261373230616535316633383364393566303064332d30222c22736f75726365223a222f72656c6169732f6469726563746f7279222c2274797065223a2272656c6169732e656e746974792e726567697374657265642e7631222c227375626a656374223a22453530222c2274696d65223a22323032362d31312d32365430383a30323a32302e3234323232345a222c22706172746974696f6e6b6579223a22453530222c22636f7272656c6174696f6e6964223a22656e746974792e72656769737465722d453530222c22636175736174696f6e6964223a22656e746974792e72656769737465722d453530222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b22656e746974795f6964223a22453530222c226c6162656c223a224167656e6379203530222c22656d61696c223a6e756c6c2c226c616e6775616765223a6e756c6c2c226368616e6e656c73223a5b226d61696c626f78225d2c226d61696c626f78223a226e6f727468222c22776562686f6f6b5f75726c223a6e756c6c2c226e6f74696679223a6e756c6c2c226f726465725f726576696577657273223a6e756c6c2c2263616d706169676e5f726576696577657273223a6e756c6c2c22616374697665223a747275652c2276657273696f6e223a312c226368616e6765645f6174223a22323032362d31312d32365430383a30323a32302e3234323232345a227d7d', '2026-11-26 08:02:25.242422+00', true);
INSERT INTO public.parked OVERRIDING SYSTEM VALUE VALUES
	(1, 'c4d91ea40d95d710a013833fab6fcff9fcbe4912c46dda80211564767ab256e2', 'failed', 'RuntimeError: cannot be handled before somebody has mended this', 'Traceback (most recent call last):
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
', '/upstream/erp', 'entity.update-E44', 'relais.entity.update.v1', 'relais.commands', 'relais.entity.update.v1', NULL, NULL, 'entity.update-E44', '{"partitionkey": "E44"}', '\x7b227370656376657273696f6e223a22312e30222c226964223a22656e746974792e7570646174652d453434222c22736f75726365223a222f757073747265616d2f657270222c2274797065223a2272656c6169732e656e746974792e7570646174652e7631222c227375626a656374223a22453434222c22706172746974696f6e6b6579223a22453434222c226163746f72223a226d2e647572616e64222c2264617461636f6e74656e7474797065223a226170706c69636174696f6e2f6a736f6e222c2264617461223a7b226c6162656c223a224167656e637920666f7274792d666f7572227d7d', '2026-11-26 08:02:18.91276+00', NULL);
INSERT INTO public.schema_migrations VALUES
	('runtime/0001_runtime', 'bc0928ce1b42005c7655d585c4047dcfd399d165939b912bb1e56c44fe8f4e1c', '2026-11-26 08:02:09.826462+00'),
	('runtime/0002_cleaning', '3486da17e05f7bcaba59d07c3d6d9cddc0416c6bb2cae82e381a775c580d1f0c', '2026-11-26 08:02:09.905279+00'),
	('directory/0001_directory', '8c21558ed320df81639f90102dea454beaa38365d9aa8c246af564233222fdd8', '2026-11-26 08:02:09.910312+00');
SELECT pg_catalog.setval('public.outbox_id_seq', 46, true);
SELECT pg_catalog.setval('public.parked_number_seq', 1, true);
SELECT pg_catalog.setval('public.waiting_number_seq', 1, false);
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.entities
    ADD CONSTRAINT entities_pkey PRIMARY KEY (entity_id);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, id);
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
CREATE INDEX emitted_at ON public.emitted USING btree (at);
CREATE INDEX inbox_received ON public.inbox USING btree (received_at);
CREATE INDEX parked_message ON public.parked USING btree (source, id);
CREATE INDEX parked_retry ON public.parked USING btree (retry_at) WHERE (retry_at IS NOT NULL);

