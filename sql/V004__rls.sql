-- Stand-in for row-level security: the role and the one function that search calls. Replaced as a whole.
DO $$
BEGIN
    IF to_regrole('authenticated') IS NULL THEN
        CREATE ROLE authenticated NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN RAISE WARNING 'no role authenticated';
END
$$;

CREATE FUNCTION ${schema}.owns_execution(of_execution text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM ${schema}.workflow_executions e LEFT JOIN ${schema}.workflows w ON w.workflow_id = e.workflow_id
        WHERE e.execution_id = of_execution
          AND coalesce(e.user_id, w.user_id) = nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
$$;

REVOKE ALL ON FUNCTION ${schema}.owns_execution(text) FROM PUBLIC;

DO $$
BEGIN
    IF to_regrole('authenticated') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA ${schema} TO authenticated;
        GRANT SELECT ON ${schema}.workflow_execution_logs, ${schema}.workflow_executions, ${schema}.workflows TO authenticated;
    END IF;
END
$$;
