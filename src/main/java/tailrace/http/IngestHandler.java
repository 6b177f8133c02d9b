package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.ingest.BatchParser;
import tailrace.ingest.BodyException;
import tailrace.ingest.Gunzip;
import tailrace.ingest.SenderRates;
import tailrace.metrics.Metrics;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;
import tailrace.model.Rejection;
import tailrace.security.Principal;

/**
 * {@code POST /v2/logs/batch} and {@code POST /v2/executions/{id}/logs}: reads, parses, asks the journal, answers 202 when
 * it is durable. One for each event loop, because a parser is used again; large bodies are parsed on a worker.
 */
public final class IngestHandler implements Handler<RoutingContext> {
    /** A body up to this size is parsed on the event loop: under 2 ms. Anything larger would hold up live streams. */
    private static final int EVENT_LOOP_BYTES = 128 << 10;

    private static final int MAX_KEY_CHARS = 255;

    private final Vertx vertx;
    private final TailraceConfig.Ingest config;
    private final Supplier<BatchParser> parsers;
    private final BatchParser parser;
    private final Shedder shedder;
    private final SenderRates rates;
    private final Metrics metrics;

    /**
     * @param parsers makes a parser for a worker
     * @param shedder says which senders are turned away
     * @param rates what each sender may send
     */
    public IngestHandler(
            Vertx vertx,
            TailraceConfig.Ingest config,
            Supplier<BatchParser> parsers,
            Shedder shedder,
            SenderRates rates,
            Metrics metrics) {
        this.vertx = vertx;
        this.config = config;
        this.parsers = parsers;
        this.parser = parsers.get();
        this.shedder = shedder;
        this.rates = rates;
        this.metrics = metrics;
    }

    @Override
    public void handle(RoutingContext ctx) {
        String sender = AuthHandler.principal(ctx).sender();
        turnAwayIfNoisy(sender);
        refuseAboveRate(rates.refusal(sender));
        HttpServerRequest request = ctx.request();
        boolean ndjson = isNdjson(request.getHeader(HttpHeaders.CONTENT_TYPE));
        boolean gzip = isGzip(request.getHeader(HttpHeaders.CONTENT_ENCODING));
        String executionId = ctx.pathParam("id");
        String key = idempotencyKey(request);
        BodyReader.read(request, config.maxBatchBytes())
                .compose(body -> parse(ctx, body, ndjson, gzip, executionId, key))
                .compose(batch -> {
                    int entries = batch.entries().size();
                    refuseAboveRate(
                            rates.take(sender, entries + batch.rejected().size(), batch.bytes()));
                    shedder.sent(sender, entries);
                    return append(batch);
                })
                .onSuccess(answer -> respond(ctx, answer))
                .onFailure(ctx::fail);
    }

    /** Before the body is read: it would be read for nothing. */
    private void turnAwayIfNoisy(String sender) {
        OptionalInt seconds = shedder.refusal(sender);
        if (seconds.isPresent()) {
            metrics.throttled();
            throw Problem.throttled(
                    "More arrives than can be held, and this sender sends more than its share. Nothing of this request"
                            + " was taken; send it again after Retry-After, and less at a time.",
                    seconds.getAsInt());
        }
    }

    private void refuseAboveRate(OptionalInt seconds) {
        if (seconds.isPresent()) {
            metrics.rateLimited();
            throw Problem.tooMany(
                    "rate_limited",
                    "This sender has sent more than INGEST_RATE_ENTRIES or INGEST_RATE_BYTES allow. Nothing of this"
                            + " request was taken; send it again after Retry-After.",
                    seconds.getAsInt());
        }
    }

    private static boolean isNdjson(@Nullable String contentType) {
        String type = contentType == null ? "application/json" : contentType.toLowerCase(Locale.ROOT);
        int parameters = type.indexOf(';');
        String charset = parameters < 0 ? "" : type.substring(parameters + 1).replaceAll("[\\s\"]", "");
        if (charset.startsWith("charset=") && !charset.equals("charset=utf-8")) {
            throw Problem.of(415, "unsupported_charset", "The body must be UTF-8; Content-Type says " + charset + ".");
        }
        return switch ((parameters < 0 ? type : type.substring(0, parameters)).trim()) {
            case "application/json" -> false;
            case "application/x-ndjson", "application/jsonl", "application/ndjson" -> true;
            default ->
                throw Problem.of(
                        415,
                        "unsupported_media_type",
                        "Content-Type must be application/json or application/x-ndjson.");
        };
    }

    private static boolean isGzip(@Nullable String contentEncoding) {
        String encoding =
                contentEncoding == null ? "identity" : contentEncoding.trim().toLowerCase(Locale.ROOT);
        return switch (encoding) {
            case "identity", "" -> false;
            case "gzip", "x-gzip" -> true;
            default -> throw Problem.of(415, "unsupported_encoding", "Content-Encoding must be gzip or absent.");
        };
    }

    private static @Nullable String idempotencyKey(HttpServerRequest request) {
        String key = request.getHeader("Idempotency-Key");
        if (key != null && (key.isBlank() || key.length() > MAX_KEY_CHARS)) {
            throw Problem.of(
                    400, "invalid_idempotency_key", "Idempotency-Key must have 1 to " + MAX_KEY_CHARS + " characters.");
        }
        return key;
    }

    private Future<IngestBatch> parse(
            RoutingContext ctx,
            byte[] body,
            boolean ndjson,
            boolean gzip,
            @Nullable String executionId,
            @Nullable String key) {
        if (!gzip && body.length <= EVENT_LOOP_BYTES) {
            try {
                return Future.succeededFuture(parser.parse(body, ndjson, executionId, idempotency(ctx, key, body)));
            } catch (BodyException e) {
                return Future.failedFuture(Problem.of(e.status(), e.code(), e.detail()));
            }
        }
        return vertx.executeBlocking(
                () -> {
                    try {
                        byte[] plain = gzip ? Gunzip.gunzip(body, config.maxBatchBytes()) : body;
                        return parsers.get().parse(plain, ndjson, executionId, idempotency(ctx, key, body));
                    } catch (BodyException e) {
                        throw Problem.of(e.status(), e.code(), e.detail());
                    }
                },
                false);
    }

    private static IngestBatch.@Nullable IdempotencyKey idempotency(
            RoutingContext ctx, @Nullable String key, byte[] body) {
        if (key == null) {
            return null;
        }
        Principal principal = ctx.get(Principal.KEY);
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(ctx.normalizedPath().getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            return new IngestBatch.IdempotencyKey(principal.subject() + '\n' + key, digest.digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private Future<BusMessage.Answer> append(IngestBatch batch) {
        if (batch.entries().isEmpty()) {
            return Future.succeededFuture(
                    new BusMessage.Answer(new IngestAnswer(0, batch.rejected(), 0, 0, java.util.List.of()), false));
        }
        return vertx.eventBus()
                .<BusMessage.Answer>request(Address.JOURNAL, new BusMessage.Append(batch))
                .map(message -> message.body());
    }

    private void respond(RoutingContext ctx, BusMessage.Answer durable) {
        IngestAnswer answer = durable.answer();
        for (Rejection rejection : answer.rejected()) {
            metrics.rejected(rejection.code(), 1);
        }
        metrics.duplicates(answer.duplicates());
        if (durable.replayed()) {
            ctx.response().putHeader("Idempotency-Replayed", "true");
        }
        ctx.response()
                .setStatusCode(answer.allRejected() ? 400 : 202)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(IngestAnswerJson.encode(answer));
    }
}
