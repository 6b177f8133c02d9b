package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** No 202 without its fsync, counted by RocksDB and read where an operator would; seen to fail where syncing is off. */
class FsyncIT {
    private static final int BATCHES = 100;
    private static final Pattern SYNCS = Pattern.compile("(?m)^tailrace_journal_wal_syncs(?:\\{[^}]*})? (\\S+)$");

    private static void requireAnFsyncForEachAnswer(ServerProcess server) throws Exception {
        Api api = new Api(server.base(), ServerProcess.serviceToken());
        long before = syncs(server);
        for (int i = 0; i < BATCHES; i++) {
            assertThat(api.post("/v2/executions/e/logs", "[{\"message\":\"m\"}]")
                            .status())
                    .isEqualTo(202);
        }
        assertThat(syncs(server) - before).as("fsyncs for %d answers", BATCHES).isGreaterThanOrEqualTo(BATCHES);
    }

    private static long syncs(ServerProcess server) throws Exception {
        String metrics = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(server.base().resolve("/metrics")).build(), BodyHandlers.ofString())
                .body();
        Matcher found = SYNCS.matcher(metrics);
        assertThat(found.find()).as("the count in\n%s", metrics).isTrue();
        return (long) Double.parseDouble(found.group(1));
    }

    @Test
    void everyAnswerHasItsFsyncAndTheCheckFailsWithoutSync(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(temp.resolve("safe"))
                        .env("DATABASE_URL", database.urlText())
                        .start()) {
            requireAnFsyncForEachAnswer(server);
        }
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(temp.resolve("unsafe"))
                        .env("DATABASE_URL", database.urlText())
                        .env("JOURNAL_SYNC", "off")
                        .start()) {
            assertThatThrownBy(() -> requireAnFsyncForEachAnswer(server)).isInstanceOf(AssertionError.class);
        }
    }
}
