-- What workflows come to over time: entries by level and type, runs, how they ended and how long they took, the most
-- frequent errors. A row counts a minute, an hour or a day of one owner's executions of one workflow; the rows of a
-- bucket add up. Filled by the cursor behind the summaries some seconds after the entries; removed by resolution.
CREATE TABLE ${schema}.workflow_stats (
    workflow_id  text COLLATE "C" NOT NULL,
    resolution   smallint NOT NULL CHECK (resolution IN (1, 60, 1440)),
    bucket_start timestamptz NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    generation   bigint NOT NULL,
    part         bigint NOT NULL,
    position     bigint NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    cell         jsonb NOT NULL,
    PRIMARY KEY (workflow_id, resolution, bucket_start, owner, generation, part)
) WITH (fillfactor = 70); -- those of now are rewritten every few seconds

-- By which the retention finds what is past its time; no change of a cell touches it.
CREATE INDEX workflow_stats_by_time ON ${schema}.workflow_stats (resolution, bucket_start);

COMMENT ON TABLE ${schema}.workflow_stats IS 'counted by time of receipt, technical entries too';
COMMENT ON COLUMN ${schema}.workflow_stats.resolution IS 'minutes of the bucket';
COMMENT ON COLUMN ${schema}.workflow_stats.owner IS
    'user_id of the executions when they were counted; empty for those that name none and are their workflow''s';
COMMENT ON COLUMN ${schema}.workflow_stats.generation IS 'journals.generation of the journal that wrote it';
COMMENT ON COLUMN ${schema}.workflow_stats.part IS 'position in the journal at which the row began';
COMMENT ON COLUMN ${schema}.workflow_stats.position IS 'position in the journal up to which it counts';
COMMENT ON COLUMN ${schema}.workflow_stats.cell IS 'durations are an encoded HdrHistogram of milliseconds';

SELECT ${schema}.guard_table('workflow_stats');

-- The rule of owns_execution: the executions' owner, or where they name none their workflow's.
SELECT ${schema}.readers_may_see('workflow_stats',
    'owner = (SELECT ${schema}.subject()) '
    'OR (owner = '''' AND workflow_id = ANY ((SELECT ${schema}.own_workflows())::text[]))');

-- An installation that decides by other tables has a rule of its own, and own_workflows let nobody see anything until
-- now. There readers see nothing here before somebody has said what they may.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_proc
                   WHERE oid = '${schema}.owns_execution(text)'::regprocedure AND prosrc LIKE '%${schema}.workflow_executions e%'
                     AND prosrc LIKE '%coalesce(e.user_id, (SELECT w.user_id FROM ${schema}.workflows w WHERE w.workflow_id = e.workflow_id))%')
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_proc
                      WHERE oid = '${schema}.own_workflows()'::regprocedure
                        AND prosrc LIKE '%FROM ${schema}.workflows WHERE user_id = ${schema}.subject()%') THEN
        PERFORM ${schema}.readers_may_see('workflow_stats', 'false');
        RAISE WARNING 'Who owns an execution is decided by this installation, so readers see no statistics of workflows yet. Say which: SELECT ${schema}.readers_may_see(''workflow_stats'', ''workflow_id = ANY ((SELECT ${schema}.own_workflows())::text[])''); see docs/supabase.md';
    END IF;
END
$$;
