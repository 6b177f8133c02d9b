package tailrace.postgres;

/** The statements of workflows' statistics: {@link Sql}'s fourth page. Everything is bound. */
final class StatsSql {
    final String putCells;
    final String cells;
    final String deleteCells;
    final String countCells;

    StatsSql(String schema) {
        putCells = in(schema, PUT_CELLS);
        cells = in(schema, CELLS);
        deleteCells = in(schema, DELETE_CELLS);
        countCells =
                in(schema, "SELECT count(*) FROM {s}.workflow_stats WHERE resolution = $1::int2 AND bucket_start < $2");
    }

    private static String in(String schema, String text) {
        return text.replace("{s}", schema);
    }

    // Absolute: the same twice changes nothing, and an older one never replaces a newer.
    private static final String PUT_CELLS = """
            INSERT INTO {s}.workflow_stats AS t
              (workflow_id, owner, resolution, bucket_start, part, position, cell, generation)
            SELECT w, o, r, b, p, n, c::jsonb, $8
            FROM unnest($1::text[], $2::text[], $3::int4[], $4::timestamptz[], $5::int8[], $6::int8[], $7::text[])
              AS c (w, o, r, b, p, n, c)
            ON CONFLICT (workflow_id, resolution, bucket_start, owner, generation, part) DO UPDATE
            SET position = excluded.position, cell = excluded.cell, updated_at = now()
            WHERE t.position < excluded.position
            """;

    // A page, in the order of the key. The bucket by itself, too: an index serves it under row-level security, whatever
    // becomes of the rest.
    private static final String CELLS = """
            SELECT bucket_start, owner, generation, part, cell::text FROM {s}.workflow_stats
            WHERE workflow_id = $1 AND resolution = $2::int2 AND bucket_start >= $3 AND bucket_start < $4
              AND (bucket_start > $3 OR (owner, generation, part) > ($5::text, $6::int8, $7::int8))
            ORDER BY bucket_start, owner, generation, part LIMIT $8
            """;

    private static final String DELETE_CELLS = """
            DELETE FROM {s}.workflow_stats WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM {s}.workflow_stats WHERE resolution = $1::int2 AND bucket_start < $2 LIMIT $3::int8))
            """;
}
