package tailrace.cli;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.Timer;
import java.util.TimerTask;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.SSLContext;

/** Takes an export from a running server. Blocks; belongs to one thread. */
final class ExportClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    /** A filter that accepts little has the server look through everything before it can say anything. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofMinutes(5);

    private static final long SILENCE_CHECK_MS = 1_000;
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int MAX_PROBLEM_BYTES = 64 << 10;

    private final HttpClient http;
    private final String base;
    private final String token;
    private final Duration silence;
    private volatile long lastReadNanos;

    /** @param silence after which a server that sends nothing in the middle of an export is given up */
    ExportClient(String base, SSLContext trust, String token, Duration silence) {
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(trust)
                .connectTimeout(CONNECT_TIMEOUT)
                .build();
        this.base = base;
        this.token = token;
        this.silence = silence;
    }

    /** How many entries there are; nothing if the server cannot tell now. */
    OptionalLong count(String pathAndQuery) throws IOException, InterruptedException {
        HttpResponse<InputStream> response = get(pathAndQuery);
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                return OptionalLong.empty(); // the export itself will say what is wrong
            }
            Long total = new JsonObject(new String(body.readAllBytes(), StandardCharsets.UTF_8)).getLong("total_count");
            return total == null ? OptionalLong.empty() : OptionalLong.of(total);
        } catch (DecodeException | ClassCastException e) {
            return OptionalLong.empty();
        }
    }

    /**
     * Takes an export to its end.
     *
     * @param gzip whether what comes is compressed; it is checked, and handed on as it is
     * @throws IOException if it broke off, so that what was handed on is not all
     * @throws CommandFailedException if the server refuses it
     */
    void take(String pathAndQuery, boolean gzip, OutputStream to, RecordCounter counter)
            throws IOException, InterruptedException, CommandFailedException {
        HttpResponse<InputStream> response = get(pathAndQuery);
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw refused(response, body);
            }
            lastReadNanos = System.nanoTime();
            Timer watch = watch(body);
            try {
                copy(body, gzip, to, counter);
            } finally {
                watch.cancel();
            }
        }
    }

    private HttpResponse<InputStream> get(String pathAndQuery) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create(base + pathAndQuery))
                        .timeout(ANSWER_TIMEOUT)
                        .header("Authorization", "Bearer " + token)
                        .build(),
                BodyHandlers.ofInputStream());
    }

    private void copy(InputStream body, boolean gzip, OutputStream to, RecordCounter counter) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        InputStream passing = new Passing(body, to);
        InputStream from = gzip ? new GZIPInputStream(passing, BUFFER_BYTES) : passing;
        for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
            counter.add(buffer, read);
        }
        if (passing.read() >= 0) {
            throw new IOException("something follows the compressed data");
        }
        to.flush();
    }

    /** Hands on what is read through it. */
    private final class Passing extends FilterInputStream {
        private final OutputStream to;

        Passing(InputStream in, OutputStream to) {
            super(in);
            this.to = to;
        }

        @Override
        public int read() throws IOException {
            int one = in.read();
            if (one >= 0) {
                lastReadNanos = System.nanoTime();
                to.write(one);
            }
            return one;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int read = in.read(buffer, offset, length);
            if (read > 0) {
                to.write(buffer, offset, read);
                lastReadNanos = System.nanoTime(); // behind the write: whoever takes our output may be slow
            }
            return read;
        }
    }

    /** Closes a body from which nothing comes, so that its reader fails instead of waiting for ever. */
    private Timer watch(InputStream body) {
        Timer timer = new Timer("export-watch", true);
        timer.schedule(
                new TimerTask() {
                    private long seen = lastReadNanos;
                    private long quietMs;

                    @Override
                    public void run() {
                        quietMs = seen == lastReadNanos ? quietMs + SILENCE_CHECK_MS : 0;
                        seen = lastReadNanos;
                        if (quietMs >= silence.toMillis()) {
                            close(body);
                        }
                    }
                },
                SILENCE_CHECK_MS,
                SILENCE_CHECK_MS);
        return timer;
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            System.getLogger(ExportClient.class.getName()).log(System.Logger.Level.DEBUG, "close", e);
        }
    }

    private static CommandFailedException refused(HttpResponse<?> response, InputStream body) throws IOException {
        String text = new String(body.readNBytes(MAX_PROBLEM_BYTES), StandardCharsets.UTF_8);
        try {
            text = new JsonObject(text).getString("detail", text);
        } catch (DecodeException | ClassCastException e) {
            // a proxy's answer: shown as it is
        }
        int status = response.statusCode();
        return new CommandFailedException(
                "the server answers " + status + ": " + HttpConnection.printable(text), status == 400 ? 2 : 1);
    }
}
