package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** A damaged journal stops the start, says where and what to do, and changes nothing; a torn tail does not. */
class JournalDamageIT {
    private static final int BATCHES = 40;

    private static ServerProcess server(Path temp, TestDatabase database) {
        return ServerProcess.in(temp.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                // PostgreSQL hears of nothing, so that the journal alone has the entries.
                .env("LOG_BATCH_INTERVAL", "1h");
    }

    private static void ingest(ServerProcess server, int from, int to) throws Exception {
        Api api = new Api(server.base(), ServerProcess.serviceToken());
        for (int i = from; i <= to; i++) {
            assertThat(api.post("/v2/executions/e/logs", "[{\"message\":\"message " + i + "\"}]")
                            .status())
                    .isEqualTo(202);
        }
    }

    private static void requireAll(ServerProcess server, int count) throws Exception {
        List<JsonNode> logs = new Api(server.base(), ServerProcess.serviceToken()).history("e");
        assertThat(logs).hasSize(count);
        for (int i = 0; i < count; i++) {
            assertThat(logs.get(i).get("seq").asInt()).isEqualTo(i + 1);
            assertThat(logs.get(i).get("message").asText()).isEqualTo("message " + (i + 1));
        }
    }

    private static Path largest(Path journal, String ending) throws IOException {
        try (var files = Files.list(journal)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void flipInTheMiddle(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 0x10;
        Files.write(file, bytes);
    }

    /** All files by name, but for RocksDB's own diary and lock. */
    private static Map<String, Integer> contents(Path journal) throws IOException {
        Map<String, Integer> contents = new TreeMap<>();
        try (var files = Files.list(journal)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (!name.startsWith("LOG") && !name.equals("LOCK")) {
                    contents.put(name, Arrays.hashCode(Files.readAllBytes(file)));
                }
            }
        }
        return contents;
    }

    private static void requireRefusal(ServerProcess server, Path journal) throws Exception {
        assertThat(server.startExpectingEnd()).as("%s", server.output()).isEqualTo(1);
        assertThat(server.output())
                .contains("tailrace: The journal in " + journal + " is damaged")
                .contains("Restore the directory from a copy")
                .contains("mv " + journal + " " + journal + ".damaged");
    }

    @Test
    void aFlippedByteInTheLogOrInATableRefusesToStart(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = server(temp, database).start()) {
            Path journal = server.dataDir().resolve("journal");
            ingest(server, 1, BATCHES);
            server.kill();

            // In the write-ahead log
            Path log = largest(journal, ".log");
            flipInTheMiddle(log);
            Map<String, Integer> before = contents(journal);
            requireRefusal(server, journal);
            assertThat(contents(journal)).as("nothing is changed").isEqualTo(before);
            flipInTheMiddle(log);
            server.start();
            requireAll(server, BATCHES);

            // In a table: the start before has made one of the log
            server.kill();
            Path table = largest(journal, ".sst");
            flipInTheMiddle(table);
            requireRefusal(server, journal);
            flipInTheMiddle(table);
            server.start();
            requireAll(server, BATCHES);
        }
    }

    @Test
    void aTornTailLosesNothingThatWasAcknowledged(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = server(temp, database).start()) {
            // Given a log that ends in the middle of a write, which nobody was answered
            ingest(server, 1, BATCHES);
            Path log = largest(server.dataDir().resolve("journal"), ".log");
            long acknowledged = Files.size(log);
            ingest(server, BATCHES + 1, BATCHES + 1);
            server.kill();
            try (FileChannel channel = FileChannel.open(log, StandardOpenOption.WRITE)) {
                channel.truncate((acknowledged + Files.size(log)) / 2);
                channel.write(ByteBuffer.wrap(new byte[] {0}), channel.size() - 1);
            }

            server.start();

            requireAll(server, BATCHES);
            ingest(server, BATCHES + 1, BATCHES + 2);
            requireAll(server, BATCHES + 2);
        }
    }
}
