-- The cold tier (SPEC 4 and 10). Flyway replaces ${schema} by DATABASE_SCHEMA and holds its advisory lock while this runs.
-- Nothing here is for PUBLIC: row-level security and the readers' roles get their own migration.

REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} REVOKE ALL ON TABLES FROM PUBLIC;

CREATE TYPE ${schema}.level AS ENUM ('debug', 'info', 'warning', 'error', 'critical');

CREATE TYPE ${schema}.event_type AS ENUM (
    'workflow_started', 'workflow_completed', 'workflow_progress', 'step_started', 'step_input',
    'step_output', 'step_completed', 'step_error', 'separator', 'log');

CREATE TYPE ${schema}.log_category AS ENUM ('business', 'technical');

CREATE TYPE ${schema}.execution_status AS ENUM (
    'NEW', 'RUNNING', 'WAITING_FOR_HUMAN', 'PAUSED', 'SUCCEEDED', 'FAILED', 'STOPPED');

CREATE TABLE ${schema}.workflows (
    workflow_id text COLLATE "C" PRIMARY KEY,
    name        text,
    user_id     text,
    tier        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- One row an execution, rewritten by every flush that touches it: room on the page and no index on what changes
-- keep those rewrites within the page (HOT).
CREATE TABLE ${schema}.workflow_executions (
    execution_id     text COLLATE "C" PRIMARY KEY,
    last_seq         bigint NOT NULL,
    total_logs       bigint NOT NULL,
    milestone_count  bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    first_entry_at   timestamptz,
    last_entry_at    timestamptz,
    last_received_at timestamptz,
    generation       bigint NOT NULL,
    last_position    bigint NOT NULL,
    status           ${schema}.execution_status NOT NULL,
    progress_percentage numeric(5, 2),
    workflow_id      text COLLATE "C",
    user_id          text COLLATE "C",
    level_counts     jsonb NOT NULL,
    event_counts     jsonb NOT NULL
) WITH (fillfactor = 70);

COMMENT ON COLUMN ${schema}.workflow_executions.generation IS
    'journals.generation that last_position belongs to: positions of another journal start again at 1';
COMMENT ON COLUMN ${schema}.workflow_executions.total_logs IS
    'all entries, also the technical ones that are not kept here';

CREATE INDEX workflow_executions_by_workflow
    ON ${schema}.workflow_executions (workflow_id, created_at DESC, execution_id);
CREATE INDEX workflow_executions_by_time
    ON ${schema}.workflow_executions (created_at DESC, execution_id);

-- By day of receipt, never of the sender's clock: one bad clock could write anywhere. Wide columns first, so that
-- alignment wastes nothing. NULL stands for the default: data and its like '{}', display_priority 5.
CREATE TABLE ${schema}.workflow_execution_logs (
    seq                 bigint NOT NULL,
    received_at         timestamptz NOT NULL,
    timestamp           timestamptz NOT NULL,
    duration_seconds    double precision,
    id                  uuid NOT NULL,
    level               ${schema}.level NOT NULL,
    event_type          ${schema}.event_type NOT NULL,
    log_category        ${schema}.log_category NOT NULL,
    status_effect       ${schema}.execution_status,
    step_number         integer,
    total_steps         integer,
    attempt             integer,
    original_bytes      integer,
    display_priority    smallint NOT NULL,
    is_milestone        boolean NOT NULL,
    execution_id        text COLLATE "C" NOT NULL,
    message             text NOT NULL,
    user_friendly_message text,
    progress_percentage numeric(5, 2),
    data                jsonb,
    technical_details   jsonb,
    performance_metrics jsonb,
    stack_trace         text,
    error_code          text,
    node_id             text,
    node_name           text,
    node_type           text,
    parent_node_id      text,
    workflow_id         text,
    user_id             text,
    trace_id            text,
    span_id             text,
    PRIMARY KEY (execution_id, seq, received_at)
) PARTITION BY RANGE (received_at);

COMMENT ON COLUMN ${schema}.workflow_execution_logs.original_bytes IS
    'size before LOG_OVERSIZE=truncate cut the entry; NULL where it was not cut';
COMMENT ON COLUMN ${schema}.workflow_execution_logs.status_effect IS
    'the status this entry moved its execution to';

-- Every journal that ever wrote here; the one of the highest generation may write.
CREATE TABLE ${schema}.journals (
    generation    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id    uuid NOT NULL UNIQUE,
    registered_at timestamptz NOT NULL DEFAULT now()
);

-- How far each lane of a journal is in PostgreSQL. A fenced cursor moves no more: another journal takes over.
CREATE TABLE ${schema}.lane_cursors (
    journal_id uuid NOT NULL REFERENCES ${schema}.journals (journal_id),
    lane       integer NOT NULL,
    lanes      integer NOT NULL,
    position   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    fenced_at  timestamptz,
    PRIMARY KEY (journal_id, lane),
    CHECK (lane >= 0 AND lane < lanes AND position >= 0)
) WITH (fillfactor = 50);

-- Rows PostgreSQL refused for what they hold. seq 0 stands for the execution's own row.
CREATE TABLE ${schema}.log_rejects (
    journal_id   uuid NOT NULL,
    position     bigint NOT NULL,
    seq          bigint NOT NULL,
    execution_id text NOT NULL,
    sqlstate     text NOT NULL,
    error        text NOT NULL,
    payload      bytea NOT NULL,
    rejected_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (journal_id, position, seq)
);

COMMENT ON COLUMN ${schema}.log_rejects.payload IS 'the entry as readers get it from the hot tier, JSON as UTF-8';

-- Part of the flush: its error takes the whole transaction back, so rows and cursor move together or not at all.
CREATE FUNCTION ${schema}.advance_cursor(
    of_journal uuid, of_lane integer, of_lanes integer, from_position bigint, to_position bigint)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    UPDATE ${schema}.lane_cursors SET position = to_position, updated_at = now()
    WHERE journal_id = of_journal AND lane = of_lane AND lanes = of_lanes AND position = from_position
        AND fenced_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the cursor of lane % of % is not at % or is fenced', of_lane, of_lanes, from_position
            USING ERRCODE = 'TR001';
    END IF;
END
$$;

-- The partition of one UTC day; true if it was made now. Made apart and then attached: unlike PARTITION OF, that
-- stops neither readers nor writers of the other days.
CREATE FUNCTION ${schema}.make_partition(of_day date)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    partition text := 'workflow_execution_logs_' || to_char(of_day, 'YYYYMMDD');
BEGIN
    IF to_regclass(format('%I.%I', '${schema}', partition)) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('tailrace partition ${schema}', 0));
    -- Not to_regclass again: it may answer from a cache that does not know what was made while we waited.
    IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = '${schema}' AND c.relname = partition) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (LIKE %I.workflow_execution_logs INCLUDING ALL)',
        '${schema}', partition, '${schema}');
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', '${schema}', partition);
    EXECUTE format('ALTER TABLE %I.workflow_execution_logs ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
        '${schema}', '${schema}', partition, of_day::timestamptz, (of_day + 1)::timestamptz);
    RETURN true;
END
$$;

REVOKE ALL ON FUNCTION ${schema}.advance_cursor(uuid, integer, integer, bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION ${schema}.make_partition(date) FROM PUBLIC;
