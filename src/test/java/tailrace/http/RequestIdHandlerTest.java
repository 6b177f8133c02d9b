package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.vertx.core.Promise;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

class RequestIdHandlerTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String TRACEPARENT = "00-" + TRACE + "-00f067aa0ba902b7-01";

    private final List<ILoggingEvent> seenEvents = new CopyOnWriteArrayList<>();

    private final HttpTestServer server = new HttpTestServer(router -> {
        router.get("/id").handler(ctx -> ctx.end(RequestIdHandler.of(ctx)));
        router.get("/async").handler(ctx -> {
            Promise<String> timer = Promise.promise();
            ctx.vertx().setTimer(5, id -> timer.complete(current()));
            timer.future()
                    .compose(onLoop -> ctx.vertx().executeBlocking(() -> onLoop + " " + current(), false))
                    .onSuccess(ctx::end)
                    .onFailure(ctx::fail);
        });
    });

    RequestIdHandlerTest() throws Exception {}

    @AfterEach
    void close() throws Exception {
        server.close();
    }

    private static String current() {
        return RequestTrace.current()
                .map(trace -> trace.requestId() + "/" + trace.traceId().orElse("-"))
                .orElse("none");
    }

    @Test
    void aGoodIdIsKeptAndReturned() throws Exception {
        var answer = server.get("/id", "X-Request-ID", "order-7/o");
        assertThat(answer.body()).isEqualTo("order-7/o");
        assertThat(answer.headers().firstValue("X-Request-ID")).contains("order-7/o");
    }

    @Test
    void withoutOneItIsMade() throws Exception {
        String first = server.get("/id").body();
        assertThat(UUID.fromString(first).version()).isEqualTo(7);
        assertThat(server.get("/id").body()).isNotEqualTo(first);
    }

    @ParameterizedTest
    @ValueSource(strings = {"with space", "tab\there", "", "   "})
    void aBadIdIsReplaced(String bad) throws Exception {
        assertThat(UUID.fromString(server.get("/id", "X-Request-ID", bad).body())
                        .version())
                .isEqualTo(7);
    }

    @Test
    void anIdTooLongIsReplaced() throws Exception {
        assertThat(server.get("/id", "X-Request-ID", "x".repeat(128)).body()).hasSize(128);
        assertThat(server.get("/id", "X-Request-ID", "x".repeat(129)).body()).hasSize(36);
    }

    @Test
    void traceHeadersAreCarriedOn() throws Exception {
        var answer = server.get("/id", "traceparent", TRACEPARENT, "X-Trace-ID", "t-1");
        assertThat(answer.headers().firstValue("traceparent")).contains(TRACEPARENT);
        assertThat(answer.headers().firstValue("X-Trace-ID")).contains("t-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                "garbage"
            })
    void aBadTraceparentIsNotCarriedOn(String bad) throws Exception {
        assertThat(server.get("/id", "traceparent", bad).headers().firstValue("traceparent"))
                .isEmpty();
    }

    @Test
    void everyThreadAndCallbackKnowsItsRequest() throws Exception {
        assertThat(server.get("/async", "X-Request-ID", "a", "traceparent", TRACEPARENT)
                        .body())
                .isEqualTo("a/" + TRACE + " a/" + TRACE);
        assertThat(server.get("/async", "X-Request-ID", "b", "X-Trace-ID", "t").body())
                .isEqualTo("b/t b/t");
        assertThat(RequestTrace.current()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/a?access_token=eyJ.x.y,/a?access_token=***",
        "/a?limit=1&access_token=eyJ&order=asc,/a?limit=1&access_token=***&order=asc",
        "/a?ACCESS_TOKEN=eyJ,/a?access_token=***",
        "/a?access%5Ftoken=eyJ,/a?access_token=***",
        "/a?%61ccess_token=eyJ;x=1,/a?access_token=***&x=1",
        "/a?access_token=a&access_token=b,/a?access_token=***&access_token=***",
        "/a?access_token,/a?access_token",
        "/a?%zz=eyJ,/a?***",
        "/a?b=access_token,/a?b=access_token",
        "/a?Ticket=abc&b=1,/a?ticket=***&b=1",
        "/a?token=abc,/a?token=***",
        "/a?q=eyJhbGciOi.eyJyb2xl.x-y_z&b=1,/a?q=***&b=1",
        "/a?eyJhbGciOi%2EeyJyb2xl,/a?***",
        "/v2/eyJhbGciOi.eyJyb2xl.x/logs,/v2/***",
        "/a,/a"
    })
    void tokensNeverReachTheAccessLog(String uri, String logged) {
        assertThat(RequestIdHandler.loggable(uri)).isEqualTo(logged);
    }

    @Test
    void requestsAreLoggedAtDebug() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger("tailrace.access");
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.list = seenEvents;
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.DEBUG);
        try {
            server.get("/id?access_token=eyJ.hunter2.x");
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (seenEvents.isEmpty() && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
        } finally {
            logger.setLevel(null);
            logger.detachAppender(lines);
        }
        assertThat(seenEvents).singleElement().satisfies(event -> assertThat(event.getFormattedMessage())
                .startsWith("GET /id?access_token=*** 200 ")
                .doesNotContain("hunter2"));
    }
}
