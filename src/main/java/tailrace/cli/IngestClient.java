package tailrace.cli;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Posts batches, one after the other, each under an {@code Idempotency-Key} of its own: a batch whose answer was lost is
 * sent again and stored once. A server that is overloaded or away is waited for. Blocks; belongs to one thread, but
 * {@link #accepted} may be read by any.
 */
final class IngestClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);
    private static final long FIRST_BACKOFF_MS = 200;
    private static final long MAX_BACKOFF_MS = 10_000;
    /** A server that asks for more patience than this is asked again anyway. */
    private static final long MAX_RETRY_AFTER_MS = 60_000;
    /** Of the rejected entries that are shown. */
    private static final int SHOWN_REJECTIONS = 10;

    private final HttpClient http;
    private final URI target;
    private final String token;
    private final Duration patience;
    private final Listener listener;

    private volatile long accepted;
    private long duplicates;
    private long dropped;
    private long rejected;

    /** Told what people should know; a line each. */
    @FunctionalInterface
    interface Listener {
        void say(String line);
    }

    /**
     * @param target of the POST
     * @param trust what the certificate of an https target is checked with
     * @param patience that a batch is sent again for
     */
    IngestClient(URI target, SSLContext trust, String token, Duration patience, Listener listener) {
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_TIMEOUT)
                .sslContext(trust)
                .build();
        this.target = target;
        this.token = token;
        this.patience = patience;
        this.listener = listener;
    }

    long accepted() {
        return accepted;
    }

    long duplicates() {
        return duplicates;
    }

    /** Shed by a server under pressure. */
    long dropped() {
        return dropped;
    }

    long rejected() {
        return rejected;
    }

    /**
     * Sends a batch until the server has answered for it.
     *
     * @throws CommandFailedException if it refuses the batch, or is away for too long
     */
    void send(List<EntryBuffer.Entry> batch) throws InterruptedException, CommandFailedException {
        HttpRequest request = request(batch);
        long until = System.nanoTime() + patience.toNanos();
        boolean told = false;
        for (int attempt = 0; ; attempt++) {
            String why;
            long wait = backoff(attempt);
            try {
                HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                JsonObject answer = answer(response);
                if (answer != null) {
                    count(answer, batch);
                    return;
                }
                why = "the server answers " + response.statusCode() + ": " + detail(response);
                wait = Math.max(wait, retryAfter(response));
            } catch (IOException e) {
                why = "the server at " + target.getAuthority() + " does not answer: "
                        + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
            }
            if (System.nanoTime() + wait * 1_000_000 > until) {
                throw new CommandFailedException(why + "; gave up after " + patience.toSeconds()
                        + " s. Everything before " + batch.get(0).place() + " was taken");
            }
            if (!told) {
                told = true;
                listener.say(why + "; trying again for up to " + patience.toSeconds() + " s");
            }
            Thread.sleep(wait);
        }
    }

    private HttpRequest request(List<EntryBuffer.Entry> batch) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (EntryBuffer.Entry entry : batch) {
            body.writeBytes(entry.json());
            body.write('\n');
        }
        return HttpRequest.newBuilder(target)
                .timeout(ANSWER_TIMEOUT)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/x-ndjson")
                .header("Idempotency-Key", UUID.randomUUID().toString())
                .POST(BodyPublishers.ofByteArray(body.toByteArray()))
                .build();
    }

    /** The counts, where the server has answered for the batch; null where it is to be sent again. */
    private @Nullable JsonObject answer(HttpResponse<String> response) throws CommandFailedException {
        int status = response.statusCode();
        if (status == 202 || status == 400) {
            try {
                JsonObject answer = new JsonObject(response.body());
                if (answer.containsKey("accepted")) {
                    return answer; // 400 if every entry was rejected
                }
            } catch (DecodeException e) {
                throw new CommandFailedException(
                        "this is no Tailrace server, it answers " + status + ": " + detail(response), e);
            }
        }
        if (status == 408 || status == 429 || status >= 500) {
            return null;
        }
        throw new CommandFailedException("the server refuses the batch with " + status + ": " + detail(response));
    }

    private void count(JsonObject answer, List<EntryBuffer.Entry> batch) {
        accepted += answer.getInteger("accepted", 0);
        duplicates += answer.getInteger("duplicates", 0);
        dropped += answer.getInteger("dropped", 0);
        for (Object each : answer.getJsonArray("rejected", new JsonArray())) {
            if (rejected++ < SHOWN_REJECTIONS && each instanceof JsonObject rejection) {
                int index = rejection.getInteger("index", -1);
                listener.say("rejected: "
                        + (index >= 0 && index < batch.size() ? batch.get(index).place() + ": " : "")
                        + HttpConnection.printable(rejection.getString("message", "")));
            }
        }
    }

    private static long backoff(int attempt) {
        long most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS << Math.min(attempt, 10));
        return most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
    }

    private static long retryAfter(HttpResponse<?> response) {
        String header = response.headers().firstValue("Retry-After").orElse("");
        // A date, which Tailrace never sends, is left to the backoff.
        return header.matches("[0-9]{1,6}") ? Math.min(MAX_RETRY_AFTER_MS, Long.parseLong(header) * 1_000) : 0;
    }

    private static String detail(HttpResponse<String> response) {
        String body = response.body() == null ? "" : response.body();
        try {
            body = new JsonObject(body).getString("detail", body);
        } catch (DecodeException | ClassCastException e) {
            // a proxy's answer: shown as it is
        }
        return HttpConnection.printable(body);
    }
}
