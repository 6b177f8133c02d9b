-- Who may see what (SPEC 8), enforced here: row-level security on every table, by Supabase's conventions. Readers come as
-- role authenticated with their token's claims in request.jwt.claims. What they own is decided by owns_execution and
-- nothing else; an installation may replace it (docs/supabase.md).

-- Supabase has these, and its own stay as they are. Our policies use neither: a sub may be any string, not only a UUID.
DO $$
BEGIN
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        GRANT USAGE ON SCHEMA auth TO PUBLIC;
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog AS $f$
            SELECT CASE WHEN sub ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' THEN sub::uuid END
            FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub') AS claims (sub)
        $f$;
    END IF;
    IF to_regprocedure('auth.role()') IS NULL THEN
        CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog AS $f$
            SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'role'
        $f$;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '% may not make auth.uid() and auth.role(). Tailrace does without them; what relies on them must make them itself.',
        current_user;
END
$$;

-- Whoever asks, by the claims; NULL is nobody. Without SET, so that it is put into the query and costs no call.
CREATE FUNCTION ${schema}.subject()
RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(nullif(pg_catalog.current_setting('request.jwt.claims', true), '')::pg_catalog.json
        OPERATOR(pg_catalog.->>) 'sub', '')
$$;

CREATE INDEX workflows_by_owner ON ${schema}.workflows (user_id) WHERE user_id IS NOT NULL;
-- A reader's list in a large table: never changed by a flush, so its rewrites stay within the page.
CREATE INDEX workflow_executions_by_owner
    ON ${schema}.workflow_executions (user_id, created_at DESC, execution_id) WHERE user_id IS NOT NULL;

-- The rule: the execution's owner, or where it names none its workflow's.
CREATE FUNCTION ${schema}.owns_execution(execution_id text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM ${schema}.workflow_executions e
        WHERE e.execution_id = $1
          AND coalesce(e.user_id, (SELECT w.user_id FROM ${schema}.workflows w WHERE w.workflow_id = e.workflow_id))
            = ${schema}.subject())
$$;

COMMENT ON FUNCTION ${schema}.owns_execution(text) IS
    'Whether ${schema}.subject() may read the execution. Replace it to decide by other tables; see own_workflows()';

-- Where a list of executions looks for those that owns_execution then decides about: by index, not row by row.
CREATE FUNCTION ${schema}.own_workflows()
RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(workflow_id), '{}') FROM ${schema}.workflows WHERE user_id = ${schema}.subject()
$$;

COMMENT ON FUNCTION ${schema}.own_workflows() IS
    'Workflows of whose executions subject() may own some. It lets nobody see anything; owns_execution() does';

-- The one execution that a query is about, as the query's sender says, if whoever asks owns it. A policy that compares
-- with it asks owns_execution once for the query instead of once a row. A setting that lies gains nothing.
CREATE FUNCTION ${schema}.opened_execution()
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT o.execution_id
    FROM (SELECT nullif(pg_catalog.current_setting('tailrace.opened_execution', true), '')) AS o (execution_id)
    WHERE ${schema}.owns_execution(o.execution_id)
$$;

-- The same rule for an execution that lies in the hot tier, where it may be newer than here. What is given is its newest
-- owner. Where that is what this table knows, owns_execution decides; until it is, the owner given and nothing else. So a
-- former owner is out, and a new one in, before the change was flushed. Asked by the server; it tells whoever asks
-- himself nothing that he does not know.
CREATE FUNCTION ${schema}.owns_hot_execution(execution_id text, user_id text, workflow_id text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(
        (SELECT ${schema}.owns_execution($1) FROM ${schema}.workflow_executions e
         WHERE e.execution_id = $1 AND e.user_id IS NOT DISTINCT FROM $2 AND e.workflow_id IS NOT DISTINCT FROM $3),
        $2 = ${schema}.subject(),
        false)
$$;

-- What readers may see, and of it which rows. Kept, so that roles that are made later get the same.
CREATE TABLE ${schema}.readable_tables (
    name      text COLLATE "C" PRIMARY KEY,
    condition text NOT NULL
);

-- Which functions readers may call; kept for the same reason.
CREATE TABLE ${schema}.callable_functions (
    signature text COLLATE "C" PRIMARY KEY
);

-- A table of ours is its owner's: nobody else sees a row, whatever was granted, until a policy says so. Also the owner
-- is held to a policy (FORCE), and has one that lets it do all.
CREATE FUNCTION ${schema}.guard_table(name text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog SET client_min_messages = warning AS $$
DECLARE
    guarded regclass := format('%I.%I', '${schema}', name)::regclass;
    other   text;
BEGIN
    -- Also what somebody's default privileges gave: TRUNCATE asks no policy.
    FOR other IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) acl
        WHERE c.oid = guarded AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', guarded, other);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('DROP POLICY IF EXISTS owner ON %s', guarded);
    EXECUTE format('CREATE POLICY owner ON %s FOR ALL TO CURRENT_USER USING (true) WITH CHECK (true)', guarded);
END
$$;

-- Gives a role its part of what readable_tables says.
CREATE FUNCTION ${schema}.let_see(reader text, name text, condition text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog SET client_min_messages = warning AS $$
BEGIN
    EXECUTE format('GRANT SELECT ON %I.%I TO %I', '${schema}', name, reader);
    EXECUTE format('DROP POLICY IF EXISTS %I ON %I.%I', 'reads_as_' || reader, '${schema}', name);
    EXECUTE format('CREATE POLICY %I ON %I.%I FOR SELECT TO %I USING (%s)',
        'reads_as_' || reader, '${schema}', name, reader, condition);
END
$$;

-- Readers may see the rows of a table for which the condition holds, services all of them. For later migrations, too.
CREATE FUNCTION ${schema}.readers_may_see(name text, condition text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO ${schema}.readable_tables AS t (name, condition) VALUES ($1, $2)
    ON CONFLICT ON CONSTRAINT readable_tables_pkey DO UPDATE SET condition = excluded.condition;
    IF to_regrole('authenticated') IS NOT NULL THEN
        PERFORM ${schema}.let_see('authenticated', $1, $2);
    END IF;
    IF to_regrole('service_role') IS NOT NULL THEN
        PERFORM ${schema}.let_see('service_role', $1, 'true');
    END IF;
END
$$;

-- Readers and services may call a function. For later migrations, too.
CREATE FUNCTION ${schema}.readers_may_call(signature text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    reader text;
BEGIN
    INSERT INTO ${schema}.callable_functions VALUES ($1) ON CONFLICT DO NOTHING;
    EXECUTE format('REVOKE ALL ON FUNCTION ${schema}.%s FROM PUBLIC', $1);
    FOREACH reader IN ARRAY ARRAY['authenticated', 'service_role'] LOOP
        IF to_regrole(reader) IS NOT NULL THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION ${schema}.%s TO %I', $1, reader);
        END IF;
    END LOOP;
END
$$;

SELECT ${schema}.guard_table(c.relname)
FROM pg_catalog.pg_class c
WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'flyway_schema_history';

SELECT ${schema}.readers_may_see('workflows', 'user_id = (SELECT ${schema}.subject())');
SELECT ${schema}.readers_may_see('workflow_executions',
    'execution_id = (SELECT ${schema}.opened_execution()) '
    'OR ((user_id = (SELECT ${schema}.subject()) OR workflow_id = ANY ((SELECT ${schema}.own_workflows())::text[])) '
    'AND ${schema}.owns_execution(execution_id))');
SELECT ${schema}.readers_may_see('workflow_execution_logs',
    'execution_id = (SELECT ${schema}.opened_execution()) OR ${schema}.owns_execution(execution_id)');

-- A partition gets neither grants nor policies of readers: whoever reads it directly, sees nothing.
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
    PERFORM ${schema}.guard_table(partition);
    EXECUTE format('ALTER TABLE %I.workflow_execution_logs ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
        '${schema}', '${schema}', partition, of_day::timestamptz, (of_day + 1)::timestamptz);
    RETURN true;
END
$$;

-- The view reads as whoever asks, and so by the policies. Before PostgreSQL 15 it reads as its owner, and is for
-- services alone.
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 150000 THEN
        ALTER VIEW ${schema}.thread_logs SET (security_invoker = true);
    END IF;
END
$$;

-- Everybody may connect, unless that was taken from PUBLIC, as in the embedded PostgreSQL.
CREATE FUNCTION ${schema}.grant_connect(role text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT has_database_privilege(role, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING '% may not let the role % connect to database %. Have its owner run: GRANT CONNECT ON DATABASE % TO %;',
        current_user, role, current_database(), quote_ident(current_database()), quote_ident(role);
END
$$;

-- What a service may do: put rows in, and read what readers read. To be called again where the role is made later.
CREATE OR REPLACE FUNCTION ${schema}.grant_to_service_role()
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog SET client_min_messages = warning AS $$
BEGIN
    GRANT USAGE ON SCHEMA ${schema} TO service_role;
    GRANT INSERT ON ${schema}.log_inbox TO service_role;
    DROP POLICY IF EXISTS puts_in ON ${schema}.log_inbox;
    CREATE POLICY puts_in ON ${schema}.log_inbox FOR INSERT TO service_role WITH CHECK (true);
    GRANT SELECT, INSERT ON ${schema}.thread_logs TO service_role;
    PERFORM ${schema}.let_see('service_role', t.name, 'true') FROM ${schema}.readable_tables t;
    PERFORM ${schema}.readers_may_call(f.signature) FROM ${schema}.callable_functions f;
    PERFORM ${schema}.grant_connect('service_role');
END
$$;

-- What a reader may do: see what is theirs. To be called again where the role is made later.
CREATE FUNCTION ${schema}.grant_to_authenticated()
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog SET client_min_messages = warning AS $$
BEGIN
    GRANT USAGE ON SCHEMA ${schema} TO authenticated;
    GRANT EXECUTE ON FUNCTION ${schema}.subject(), ${schema}.owns_execution(text), ${schema}.own_workflows(),
        ${schema}.opened_execution(), ${schema}.owns_hot_execution(text, text, text) TO authenticated;
    PERFORM ${schema}.let_see('authenticated', t.name, t.condition) FROM ${schema}.readable_tables t;
    PERFORM ${schema}.readers_may_call(f.signature) FROM ${schema}.callable_functions f;
    IF current_setting('server_version_num')::int >= 150000 THEN
        GRANT SELECT ON ${schema}.thread_logs TO authenticated;
    END IF;
END
$$;

-- Other processes keep answers for a while; this has them ask again.
CREATE FUNCTION ${schema}.announce_owners()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_notify(left('${schema}', 54) || '_owners', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER workflow_owner_changed AFTER UPDATE OF user_id OR DELETE ON ${schema}.workflows
    FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.announce_owners();

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ${schema} FROM PUBLIC;

-- Supabase has the roles. They belong to the whole server: a migration of another database may make one meanwhile.
DO $$
BEGIN
    IF to_regrole('authenticated') IS NULL THEN
        BEGIN
            CREATE ROLE authenticated NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- it is there now, which is what we want
            WHEN insufficient_privilege THEN
                RAISE WARNING '% may not make the role authenticated, without which nobody can read. Have an administrator run in this database: CREATE ROLE authenticated NOLOGIN; SELECT ${schema}.grant_to_authenticated();',
                    current_user;
        END;
    END IF;
    IF to_regrole('authenticated') IS NOT NULL THEN
        PERFORM ${schema}.grant_to_authenticated();
    END IF;
    IF to_regrole('service_role') IS NOT NULL THEN
        PERFORM ${schema}.grant_to_service_role();
    END IF;
END
$$;
