package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.pgclient.PgException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;

/** When PostgreSQL is not asked, and when it is asked again. */
class ReadGuardTest {
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final ReadGuard guard = new ReadGuard(new Metrics(meters));
    private int asked;

    private Future<String> read(Future<String> answer) {
        return guard.call(() -> {
            asked++;
            return answer;
        });
    }

    private boolean refused() {
        int before = asked;
        Future<String> answer = read(Future.succeededFuture("rows"));
        boolean refused = answer.failed() && answer.cause() instanceof PostgresAwayException;
        assertThat(asked - before).as("queries sent").isEqualTo(refused ? 0 : 1);
        return refused;
    }

    @Test
    void whoeverComesAfterSomeThatGotNoAnswerDoesNotWait() {
        for (int i = 0; i < 5; i++) {
            Future<String> failed = read(Future.failedFuture(new IOException("connection refused")));
            assertThat(failed.cause()).isInstanceOf(IOException.class);
        }
        assertThat(refused()).isTrue();
        assertThat(meters.get("tailrace.readers.breaker.open").gauge().value()).isEqualTo(1);
    }

    @Test
    void anErrorThatPostgresGaveIsAnAnswer() {
        for (int i = 0; i < 20; i++) {
            read(Future.failedFuture(new PgException("bad value", "ERROR", "22P02", "")));
        }
        assertThat(refused()).isFalse();
        for (int i = 0; i < 20; i++) {
            read(Future.failedFuture(new PgException("starting up", "FATAL", "57P03", "")));
        }
        assertThat(refused()).isTrue();
    }

    @Test
    void theWritersWordCountsAtOnce() {
        guard.available(false);
        guard.available(false);
        assertThat(refused()).isTrue();
        guard.available(true);
        assertThat(refused()).isFalse();
    }
}
