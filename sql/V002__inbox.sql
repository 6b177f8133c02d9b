-- The door for services that can only INSERT (SPEC 11), the view that writers of an older table know (SPEC 14), and the
-- table of processes. NOTIFY is a wake-up and carries nothing; a channel's name has 63 bytes at most, as the schema's.

-- One row an entry by the rules of SPEC 2. It is deleted once its entry is durable in the journal; one that breaks a
-- rule stays with its error. json, not jsonb: the entry comes to the same parser as a POST's, byte by byte, where jsonb
-- would refuse a whole INSERT for one \u0000 and measure another text than the sender wrote.
CREATE TABLE ${schema}.log_inbox (
    n          bigint GENERATED ALWAYS AS IDENTITY,
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    failed_at  timestamptz,
    entry      json NOT NULL,
    error      text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

COMMENT ON TABLE ${schema}.log_inbox IS
    'INSERT (entry) and it is ingested like a POST, exactly once. To mend a row: UPDATE … SET entry = …, error = NULL';
COMMENT ON COLUMN ${schema}.log_inbox.n IS 'the order of insertion, in which rows are taken';
COMMENT ON COLUMN ${schema}.log_inbox.id IS
    'the entry''s id where it has none of its own: a row put in again within 24 hours is stored once';
COMMENT ON COLUMN ${schema}.log_inbox.error IS 'why the row was not taken; set it to NULL to have it tried again';

CREATE INDEX log_inbox_pending ON ${schema}.log_inbox (n) WHERE error IS NULL;

CREATE FUNCTION ${schema}.announce_inbox()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_notify(left('${schema}', 54) || '_inbox', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER log_inbox_inserted AFTER INSERT ON ${schema}.log_inbox
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.announce_inbox();
CREATE TRIGGER log_inbox_mended AFTER UPDATE ON ${schema}.log_inbox
    FOR EACH ROW WHEN (OLD.error IS NOT NULL AND NEW.error IS NULL) EXECUTE FUNCTION ${schema}.announce_inbox();

-- What is kept in PostgreSQL. A row waiting in log_inbox has no number yet and is not shown.
CREATE VIEW ${schema}.thread_logs AS
    SELECT seq AS id, execution_id AS thread_id, message, timestamp AS created_at, level::text AS level
    FROM ${schema}.workflow_execution_logs;

-- With its owner's rights, so that whoever may insert into the view needs no more. display_priority 7 has every row
-- kept in PostgreSQL whatever its level: the readers of this table look nowhere else.
CREATE FUNCTION ${schema}.thread_log_to_inbox()
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    NEW.id := NULL; -- given when the entry is taken
    NEW.thread_id := coalesce(nullif(NEW.thread_id, ''), 'unassigned');
    NEW.created_at := coalesce(NEW.created_at, now());
    INSERT INTO ${schema}.log_inbox (entry) VALUES (json_strip_nulls(json_build_object(
        'execution_id', NEW.thread_id, 'message', NEW.message, 'level', NEW.level, 'timestamp', NEW.created_at,
        'display_priority', 7)));
    RETURN NEW;
END
$$;

CREATE TRIGGER thread_logs_inserted INSTEAD OF INSERT ON ${schema}.thread_logs
    FOR EACH ROW EXECUTE FUNCTION ${schema}.thread_log_to_inbox();

-- Who runs on this database; a row whose heartbeat is old is nobody's.
CREATE TABLE ${schema}.processes (
    id           uuid PRIMARY KEY,
    started_at   timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    writer       boolean NOT NULL,
    host         text NOT NULL,
    version      text NOT NULL
) WITH (fillfactor = 50);

COMMENT ON COLUMN ${schema}.processes.writer IS 'whether it held the writer''s lock at its last heartbeat';

-- What a service may do: put rows in. To be called again where the role is made later than this schema.
CREATE FUNCTION ${schema}.grant_to_service_role()
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    GRANT USAGE ON SCHEMA ${schema} TO service_role;
    GRANT INSERT ON ${schema}.log_inbox TO service_role;
    GRANT SELECT, INSERT ON ${schema}.thread_logs TO service_role;
    -- Everybody may connect, unless that was taken from PUBLIC, as in the embedded PostgreSQL.
    IF NOT has_database_privilege('service_role', current_database(), 'CONNECT') THEN
        BEGIN
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO service_role', current_database());
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE WARNING '% may not let the role service_role connect to database %. Have its owner run: GRANT CONNECT ON DATABASE % TO service_role;',
                current_user, current_database(), quote_ident(current_database());
        END;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION ${schema}.announce_inbox() FROM PUBLIC;
REVOKE ALL ON FUNCTION ${schema}.thread_log_to_inbox() FROM PUBLIC;
REVOKE ALL ON FUNCTION ${schema}.grant_to_service_role() FROM PUBLIC;

-- Supabase has the role. Roles belong to the whole server: a migration of another database may make it meanwhile.
DO $$
BEGIN
    IF to_regrole('service_role') IS NULL THEN
        BEGIN
            CREATE ROLE service_role NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- it is there now, which is what we want
            WHEN insufficient_privilege THEN
                RAISE WARNING '% may not make the role service_role, so nobody but it can put rows into log_inbox. Have an administrator run in this database: CREATE ROLE service_role NOLOGIN; SELECT ${schema}.grant_to_service_role();',
                    current_user;
                RETURN;
        END;
    END IF;
    PERFORM ${schema}.grant_to_service_role();
END
$$;
