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

SELECT ${schema}.guard_table('execution_summaries');
SELECT ${schema}.readers_may_see('execution_summaries',
    'execution_id = (SELECT ${schema}.opened_execution()) OR ${schema}.owns_execution(execution_id)');
