package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From bytes on standard input to entries. */
class InputLinesTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-07-15T09:00:00.123456Z"), ZoneOffset.UTC);

    private static List<EntryBuffer.Entry> read(byte[] input) throws Exception {
        EntryBuffer buffer = new EntryBuffer(10_000, 1 << 20, 0);
        new InputLines(CLOCK).read(new ByteArrayInputStream(input), buffer);
        buffer.end(null);
        List<EntryBuffer.Entry> all = new ArrayList<>();
        for (List<EntryBuffer.Entry> batch = buffer.take(); !batch.isEmpty(); batch = buffer.take()) {
            all.addAll(batch);
        }
        return all;
    }

    private static List<JsonObject> entries(String input) throws Exception {
        return read(input.getBytes(StandardCharsets.UTF_8)).stream()
                .map(entry -> new JsonObject(new String(entry.json(), StandardCharsets.UTF_8)))
                .toList();
    }

    @Test
    void anObjectWithAMessageIsAnEntryAndAnythingElseIsText() throws Exception {
        List<JsonObject> entries = entries("""
                plain "text" \u001b[31m
                {"message":"an entry","level":"ERROR"}

                  {"message":"indented"}\r
                {"level":"INFO","text":"no message"}
                {"message":"broken
                {"message":"two"} {"message":"objects"}
                [1]
                last, without an end""");

        assertThat(entries)
                .extracting(entry -> entry.getString("message"))
                .containsExactly(
                        "plain \"text\" \u001b[31m",
                        "an entry",
                        "indented",
                        "{\"level\":\"INFO\",\"text\":\"no message\"}",
                        "{\"message\":\"broken",
                        "{\"message\":\"two\"} {\"message\":\"objects\"}",
                        "[1]",
                        "last, without an end");
        assertThat(entries.get(0).getString("timestamp")).isEqualTo("2026-07-15T09:00:00.123456Z");
        assertThat(entries.get(1).fieldNames()).containsExactly("message", "level");
    }

    @Test
    void linesAreNumbered() throws Exception {
        assertThat(read("a\n\nb\r\nc".getBytes(StandardCharsets.UTF_8)))
                .extracting(EntryBuffer.Entry::place)
                .containsExactly("line 1", "line 3", "line 4");
    }

    @Test
    void aLineLongerThanAnEntryIsCutBetweenCharacters() throws Exception {
        String line = "\uD83D\uDE80\u0001\"ä".repeat(60_000);

        List<EntryBuffer.Entry> pieces = read(line.getBytes(StandardCharsets.UTF_8));

        assertThat(pieces).hasSizeGreaterThan(50).allSatisfy(piece -> assertThat(piece.json())
                .hasSizeLessThan(10 << 10));
        assertThat(String.join(
                        "",
                        pieces.stream()
                                .map(piece -> new JsonObject(new String(piece.json(), StandardCharsets.UTF_8))
                                        .getString("message"))
                                .toList()))
                // Where a line is too long to be one, it may be cut within a character's bytes.
                .hasSizeBetween(line.length() - 20, line.length() + 20);
    }

    @Test
    void bytesThatAreNoUtf8DoNotStopIt() throws Exception {
        List<EntryBuffer.Entry> entries = read(new byte[] {'a', (byte) 0xff, 'b', 0, '\n', 'c'});
        assertThat(entries).hasSize(2);
        assertThat(new JsonObject(new String(entries.get(0).json(), StandardCharsets.UTF_8)).getString("message"))
                .isEqualTo("a\uFFFDb\uFFFD");
    }

    @Test
    @Timeout(30)
    void aLineDoesNotWaitForTheNext() throws Exception {
        EntryBuffer buffer = new EntryBuffer(1_000, 1 << 20, TimeUnit.MILLISECONDS.toNanos(100));
        try (PipedOutputStream tool = new PipedOutputStream();
                PipedInputStream in = new PipedInputStream(tool)) {
            Thread reader = new Thread(() -> {
                try {
                    new InputLines(CLOCK).read(in, buffer);
                } catch (Exception e) {
                    buffer.end(e);
                }
            });
            reader.start();
            tool.write("first\n".getBytes(StandardCharsets.UTF_8));
            tool.flush();
            assertThat(buffer.take()).hasSize(1); // while the input is still open
            tool.write("second\nthird\n".getBytes(StandardCharsets.UTF_8));
            tool.flush();
            assertThat(buffer.take()).hasSize(2);
            reader.interrupt();
        }
    }

    @Test
    @Timeout(30)
    void whoReadsWaitsForWhoSends() throws Exception {
        EntryBuffer buffer = new EntryBuffer(10, 1_000, 0);
        Thread reader = new Thread(() -> {
            try {
                for (int i = 0; i < 100; i++) {
                    buffer.put("line " + i, new byte[900]);
                }
                buffer.end(null);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        reader.start();
        while (reader.getState() != Thread.State.WAITING) {
            Thread.onSpinWait(); // it ends in waiting, whatever it does before: there is room for nine
        }
        int taken = 0;
        for (List<EntryBuffer.Entry> batch = buffer.take(); !batch.isEmpty(); batch = buffer.take()) {
            assertThat(batch).hasSize(1); // two are more than a batch holds
            taken++;
        }
        assertThat(taken).isEqualTo(100);
    }
}
