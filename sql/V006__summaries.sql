-- What an execution's entries come to (SPEC 4): steps, milestones, last error. A table of its own, because the
-- execution's row is rewritten by every flush and this, which may be large, is not.
CREATE TABLE ${schema}.execution_summaries (
    execution_id text COLLATE "C" PRIMARY KEY,
    generation   bigint NOT NULL,
    up_to_seq    bigint NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    summary      jsonb NOT NULL
);

COMMENT ON TABLE ${schema}.execution_summaries IS
    'written some seconds after the entries it counts, also the technical ones; removed with the execution';
COMMENT ON COLUMN ${schema}.execution_summaries.generation IS 'journals.generation of the journal that wrote it';
COMMENT ON COLUMN ${schema}.execution_summaries.up_to_seq IS 'the last entry that is counted in it';

ALTER TABLE ${schema}.execution_summaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${schema}.execution_summaries FORCE ROW LEVEL SECURITY;
CREATE POLICY writer ON ${schema}.execution_summaries TO CURRENT_USER USING (true) WITH CHECK (true);

-- Readers see the summaries of the executions they see.
DO $$
BEGIN
    IF to_regprocedure('${schema}.owns_execution(text)') IS NOT NULL THEN
        CREATE POLICY readers ON ${schema}.execution_summaries FOR SELECT TO authenticated
            USING ((SELECT ${schema}.owns_execution(execution_id)));
        GRANT SELECT ON ${schema}.execution_summaries TO authenticated;
    END IF;
END
$$;
