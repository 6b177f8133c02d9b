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

-- Readers see the summaries of the executions they see: as V004 has it, and for nobody but the owner where it is not
-- applied.
DO $$
BEGIN
    IF to_regprocedure('${schema}.readers_may_see(text, text)') IS NOT NULL THEN
        PERFORM ${schema}.guard_table('execution_summaries');
        PERFORM ${schema}.readers_may_see('execution_summaries',
            'execution_id = (SELECT ${schema}.opened_execution()) OR ${schema}.owns_execution(execution_id)');
    ELSE
        ALTER TABLE ${schema}.execution_summaries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY owner ON ${schema}.execution_summaries TO CURRENT_USER USING (true) WITH CHECK (true);
    END IF;
END
$$;
