-- Search (SPEC 6, q): what is searched, the indexes for it, and the one door to entries of many executions.

-- What q is looked for in. U+001F stands between the texts: no term has it, so none is found across two of them. By the
-- collation "C" only ASCII's letters change, whatever the database's locale; other letters the query spells out.
CREATE FUNCTION ${schema}.log_text(message text, user_friendly_message text, error_code text, stack_trace text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower((message || E'\x1f' || coalesce(user_friendly_message, '') || E'\x1f' || coalesce(error_code, '')
        || E'\x1f' || coalesce(stack_trace, '')) COLLATE "C")
$$;

COMMENT ON FUNCTION ${schema}.log_text(text, text, text, text) IS
    'what q is searched in; plain, so that a query with it becomes the expression that is indexed';

-- Newest first across executions. Entries come in by time, so it grows at its end and costs 7 bytes a row.
CREATE INDEX workflow_execution_logs_by_time ON ${schema}.workflow_execution_logs (received_at);
-- The sender's clock follows the receipt nearly always: some kilobytes pass over all days that do not concern a reader.
CREATE INDEX workflow_execution_logs_by_sent ON ${schema}.workflow_execution_logs
    USING brin (timestamp) WITH (pages_per_range = 32, autosummarize = on);

-- Trigrams make words quick to find in the days that are over (an index on the day being written would cost four fifths
-- of the insert rate). Without the extension all is found as well, by reading.
DO $$
DECLARE
    -- Not among our tables, where it would be for everybody: where extensions live, or in public.
    place text := coalesce(
        (SELECT nspname FROM pg_namespace WHERE nspname IN ('extensions', 'public')
         AND has_schema_privilege(oid, 'CREATE') ORDER BY nspname LIMIT 1), '${schema}');
BEGIN
    EXECUTE format('CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA %I', place);
EXCEPTION
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
        RAISE WARNING 'pg_trgm cannot be made here (%), so search reads through every day. To speed it up have an administrator run in this database: CREATE EXTENSION pg_trgm;',
            SQLERRM;
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another installation in this database made it meanwhile
END
$$;

-- Entries of all executions the caller owns, or of those among them that belong to a workflow: newest first by
-- (received_at, execution_id, seq), after the place given. With its owner's rights, because under row-level security no
-- index serves LIKE; so it asks owns_execution itself, of each execution once. Whoever calls it with other arguments than
-- the server does gets the same rows and no others. All conditions are parameters: of its arguments none becomes part of
-- a statement but how many patterns there are.
--
-- It goes back window by window, each within one day and of a bounded number of rows, and stops with max_rows, or after
-- a quarter of a second: a last row without log then says down to where everything was looked at (searched_to, included),
-- NULL if that is all there is.
CREATE FUNCTION ${schema}.search_logs(
    of_workflow text, before_time timestamptz, before_execution text, before_seq bigint, max_rows integer,
    levels text[], event_types text[], category text, min_priority integer, milestone boolean,
    since timestamptz, until timestamptz, node_ids text[],
    likes text[], not_likes text[], regexes text[], not_regexes text[], indexable boolean)
RETURNS TABLE (searched_to timestamptz, log ${schema}.workflow_execution_logs)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    patience     CONSTANT interval := '250 ms';
    largest      CONSTANT integer := 50000; -- rows of a window that is read through
    sample_pages CONSTANT integer := 64;    -- of a day, at random, looked at to learn how rare the words are
    sample_rows  CONSTANT integer := 20;    -- of each of them, at most
    few_hits     CONSTANT integer := 3;     -- with more in the sample, reading is quicker than the index
    few_most     CONSTANT integer := 200;     -- executions that are looked up beforehand
    -- An execution's last entry is its latest but for a clock that was set back.
    clock_slip   CONSTANT interval := '1 hour';
    begun        CONSTANT timestamptz := clock_timestamp();
    -- Services read all: they come as service_role, or with a login that has the rights of the tables' owner.
    all_theirs   CONSTANT boolean := CASE current_setting('role')
        WHEN 'service_role' THEN true WHEN 'none' THEN pg_has_role(session_user, current_user, 'USAGE') ELSE false END;
    conditions   text := '';
    words        text;
    probe        text;
    main         text;
    by_index     text;
    rare         boolean;
    doc          CONSTANT text := '${schema}.log_text(l.message, l.user_friendly_message, l.error_code, l.stack_trace)';
    few          text[];
    found        integer;
    rest         integer := max_rows;
    step         integer := 2000;
    windows      integer := 0;
    high         timestamptz := coalesce(before_time + interval '1 microsecond', 'infinity');
    low          timestamptz;
    day_start    timestamptz;
    of_day       record;
BEGIN
    IF max_rows IS NULL OR max_rows < 1 OR max_rows > 1001 THEN
        RAISE EXCEPTION 'max_rows must be from 1 to 1001' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF of_workflow IS NOT NULL THEN
        SELECT count(*), coalesce(array_agg(e.execution_id) FILTER (WHERE all_theirs OR ${schema}.owns_execution(e.execution_id)), '{}'),
            max(e.last_received_at) + clock_slip
        INTO found, few, low
        FROM (SELECT x.execution_id, x.last_received_at FROM ${schema}.workflow_executions x
              WHERE x.workflow_id = of_workflow LIMIT few_most + 1) e;
        IF found > few_most THEN
            few := NULL;
        ELSIF cardinality(few) = 0 THEN
            RETURN QUERY SELECT NULL::timestamptz, NULL::${schema}.workflow_execution_logs;
            RETURN;
        ELSE
            high := least(high, low);
        END IF;
    END IF;

    conditions := concat(
        CASE WHEN before_time IS NOT NULL THEN ' AND (l.received_at, l.execution_id, l.seq) < ($3, $4, $5)' END,
        CASE WHEN levels IS NOT NULL THEN ' AND l.level = ANY ($7::${schema}.level[])' END,
        CASE WHEN event_types IS NOT NULL THEN ' AND l.event_type = ANY ($8::${schema}.event_type[])' END,
        CASE WHEN category IS NOT NULL THEN ' AND l.log_category = $9::${schema}.log_category' END,
        CASE WHEN min_priority > 1 THEN ' AND l.display_priority >= $10' END,
        CASE WHEN milestone IS NOT NULL THEN ' AND l.is_milestone = $11' END,
        CASE WHEN node_ids IS NOT NULL THEN ' AND l.node_id = ANY ($14)' END);
    probe := concat('SELECT l.received_at FROM ${schema}.workflow_execution_logs l WHERE l.received_at >= $1 AND l.received_at < $2',
        CASE WHEN since IS NOT NULL THEN ' AND l.timestamp >= $4' END,
        CASE WHEN until IS NOT NULL THEN ' AND l.timestamp <= $5' END,
        ' ORDER BY l.received_at DESC OFFSET $3 LIMIT 1');
    conditions := concat(conditions,
        CASE WHEN since IS NOT NULL THEN ' AND l.timestamp >= $12' END,
        CASE WHEN until IS NOT NULL THEN ' AND l.timestamp <= $13' END,
        (SELECT string_agg(format(' AND %s NOT LIKE ($16)[%s]', doc, n), '') FROM generate_subscripts(not_likes, 1) n),
        (SELECT string_agg(format(' AND %s !~ ($18)[%s]', doc, n), '') FROM generate_subscripts(not_regexes, 1) n));
    words := concat(
        (SELECT string_agg(format(' AND %s LIKE ($15)[%s]', doc, n), '') FROM generate_subscripts(likes, 1) n),
        (SELECT string_agg(format(' AND %s ~ ($17)[%s]', doc, n), '') FROM generate_subscripts(regexes, 1) n));
    main := concat('SELECT NULL::timestamptz, l FROM ${schema}.workflow_execution_logs l',
        CASE
            WHEN few IS NOT NULL OR all_theirs AND of_workflow IS NULL THEN ''
            -- OFFSET 0: looked up for the rows that fit, remembered for each execution, never for all there are.
            ELSE concat(' CROSS JOIN LATERAL (SELECT FROM ${schema}.workflow_executions e WHERE e.execution_id = l.execution_id',
                CASE WHEN of_workflow IS NOT NULL THEN ' AND e.workflow_id = $19' END,
                CASE WHEN NOT all_theirs THEN ' AND ${schema}.owns_execution(e.execution_id)' END,
                ' OFFSET 0) own')
        END,
        ' WHERE l.received_at >= $1 AND l.received_at < $2',
        CASE WHEN few IS NOT NULL THEN ' AND l.execution_id = ANY ($20)' END,
        conditions);
    -- The planner takes every word for a rare one and would read half a day by its index; so it is told which way to go:
    -- in what is read through the text is none that is indexed, and by the index the order is none.
    by_index := concat(main, words, ' ORDER BY l.received_at + interval ''0'' DESC, l.execution_id DESC, l.seq DESC LIMIT $6');
    main := concat(main, replace(words, doc, concat('(', doc, ' || '''')')),
        ' ORDER BY l.received_at DESC, l.execution_id DESC, l.seq DESC LIMIT $6');

    FOR of_day IN
        SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day, c.relname,
            pg_relation_size(c.oid) / current_setting('block_size')::integer AS pages,
            EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                    WHERE i.indrelid = c.oid AND i.indisvalid AND ic.relname = c.relname || '_text') AS indexed
        FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = '${schema}.workflow_execution_logs'::regclass AND NOT h.inhdetachpending
            AND c.relname ~ '^workflow_execution_logs_[0-9]{8}$'
        ORDER BY day DESC
    LOOP
        day_start := of_day.day::timestamptz;
        rare := indexable AND of_day.indexed AND high > day_start;
        IF rare THEN
            EXECUTE concat(format('SELECT count(*) FROM ${schema}.%I l WHERE l.ctid = ANY ($1)', of_day.relname),
                replace(replace(replace(words, doc, concat('(', doc, ' || '''')')), '$15', '$2'), '$17', '$3'))
            INTO found
            USING ARRAY(SELECT format('(%s,%s)', floor((page + random()) * of_day.pages / sample_pages), row)::tid
                        FROM generate_series(0, sample_pages - 1) page, generate_series(1, sample_rows) row),
                likes, regexes;
            rare := found <= few_hits;
        END IF;
        WHILE high > day_start LOOP
            high := least(high, (of_day.day + 1)::timestamptz);
            IF rare THEN
                low := day_start;
            ELSE
                EXECUTE probe INTO low USING day_start, high, step, since, until;
                low := coalesce(low, day_start);
            END IF;
            RETURN QUERY EXECUTE CASE WHEN rare THEN by_index ELSE main END
            USING low, high, before_time, before_execution, before_seq, rest, levels, event_types, category, min_priority,
                milestone, since, until, node_ids, likes, not_likes, regexes, not_regexes, of_workflow, few;
            GET DIAGNOSTICS found = ROW_COUNT;
            rest := rest - found;
            IF rest <= 0 THEN
                RETURN;
            END IF;
            high := low;
            step := least(step * 4, largest);
            windows := windows + 1;
            IF windows = 1 AND of_workflow IS NOT NULL AND few IS NULL AND before_time IS NULL THEN
                -- Nothing lies above the last entry of any of them.
                high := least(high, (SELECT max(e.last_received_at) + clock_slip
                    FROM ${schema}.workflow_executions e WHERE e.workflow_id = of_workflow));
            END IF;
            IF clock_timestamp() - begun > patience THEN
                RETURN QUERY SELECT high, NULL::${schema}.workflow_execution_logs;
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT NULL::timestamptz, NULL::${schema}.workflow_execution_logs;
END
$$;

-- Whether the caller owns any execution of a workflow.
CREATE FUNCTION ${schema}.owns_any_of(of_workflow text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM ${schema}.workflow_executions e
        WHERE e.workflow_id = of_workflow
            AND (CASE current_setting('role')
                    WHEN 'service_role' THEN true WHEN 'none' THEN pg_has_role(session_user, current_user, 'USAGE') ELSE false END
                OR ${schema}.owns_execution(e.execution_id)))
$$;

SELECT ${schema}.readers_may_call('log_text(text, text, text, text)');
SELECT ${schema}.readers_may_call('owns_any_of(text)');
SELECT ${schema}.readers_may_call('search_logs(text, timestamptz, text, bigint, integer, text[], text[], text, integer, '
    'boolean, timestamptz, timestamptz, text[], text[], text[], text[], text[], boolean)');
