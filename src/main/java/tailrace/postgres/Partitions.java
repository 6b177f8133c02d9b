package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.Tuple;
import java.time.Clock;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The daily partitions, in UTC: made days ahead, and for whatever day a batch needs, because catching up after an outage
 * meets days nobody prepared. Safe for any thread.
 */
public final class Partitions {
    /** Days made ahead of today. */
    static final int DAYS_AHEAD = 3;

    private final Database database;
    private final Clock clock;
    private final Set<LocalDate> known = ConcurrentHashMap.newKeySet();

    public Partitions(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Makes today's partition and those of the next days, unless they are there. */
    public Future<Void> ensureAhead() {
        LocalDate today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
        List<LocalDate> days =
                IntStream.rangeClosed(0, DAYS_AHEAD).mapToObj(today::plusDays).toList();
        return ensure(database.pool(), days.iterator());
    }

    /** Makes what these days need; asks the database only about days not seen before. */
    Future<Void> ensure(SqlClient client, Collection<LocalDate> days) {
        List<LocalDate> unknown =
                days.stream().filter(day -> !known.contains(day)).sorted().toList();
        return unknown.isEmpty() ? Future.succeededFuture() : ensure(client, unknown.iterator());
    }

    private Future<Void> ensure(SqlClient client, Iterator<LocalDate> days) {
        if (!days.hasNext()) {
            return Future.succeededFuture();
        }
        LocalDate day = days.next();
        return client.preparedQuery(database.sql().makePartition)
                .execute(Tuple.of(day))
                .compose(made -> {
                    known.add(day);
                    return ensure(client, days);
                });
    }

    /** After a row found no partition: retention dropped one that was seen before. */
    void forget() {
        known.clear();
    }
}
