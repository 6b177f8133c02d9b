-- Retention (SPEC 10): policies, and days that are made again only once their former partition is gone.

-- A policy shortens LOG_RETENTION_DAYS for the executions of one workflow, or of all workflows of one tier.
CREATE TABLE ${schema}.retention_policies (
    id           text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    workflow_id  text COLLATE "C",
    tier         text COLLATE "C",
    max_age_days double precision CHECK (max_age_days > 0),
    newest_n     bigint CHECK (newest_n > 0),
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(workflow_id, tier) = 1),
    CHECK (num_nonnulls(max_age_days, newest_n) >= 1)
);

COMMENT ON COLUMN ${schema}.retention_policies.newest_n IS 'entries of each execution that are kept, by seq';

CREATE INDEX workflows_by_tier ON ${schema}.workflows (tier) WHERE tier IS NOT NULL;
CREATE INDEX log_rejects_by_time ON ${schema}.log_rejects (rejected_at);

-- As before, but a table of the day's name that is no partition (any more) is no partition: retention is taking it
-- away. That is told with an error that the writer tries again after, never as a row that cannot be kept.
CREATE OR REPLACE FUNCTION ${schema}.make_partition(of_day date)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    partition text := 'workflow_execution_logs_' || to_char(of_day, 'YYYYMMDD');
    found_as  record;
BEGIN
    IF EXISTS (SELECT FROM pg_inherits
               WHERE inhrelid = to_regclass(format('%I.%I', '${schema}', partition)) AND NOT inhdetachpending) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('tailrace partition ${schema}', 0));
    -- Not to_regclass again: it may answer from a cache that does not know what was made while we waited.
    SELECT i.inhrelid IS NOT NULL AND NOT i.inhdetachpending AS attached INTO found_as
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE n.nspname = '${schema}' AND c.relname = partition;
    IF FOUND AND found_as.attached THEN
        RETURN false;
    ELSIF FOUND THEN
        RAISE EXCEPTION 'the partition of % is being taken away; it is made again once that is done', of_day
            USING ERRCODE = 'object_in_use';
    END IF;
    EXECUTE format('CREATE TABLE %I.%I (LIKE %I.workflow_execution_logs INCLUDING ALL)',
        '${schema}', partition, '${schema}');
    EXECUTE format('REVOKE ALL ON %I.%I FROM PUBLIC', '${schema}', partition);
    EXECUTE format('ALTER TABLE %I.workflow_execution_logs ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
        '${schema}', '${schema}', partition, of_day::timestamptz, (of_day + 1)::timestamptz);
    RETURN true;
END
$$;
