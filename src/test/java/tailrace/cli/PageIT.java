package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.Cookie;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a person sees at {@code /}, in a real browser, with a server that says what the test wants. */
class PageIT {
    private static final String TOKEN = "reader-token";
    private static final String RUN = "invoice-intake-0001";
    private static final Path SHOTS = Path.of("target", "screenshots");

    private final Vertx vertx = Vertx.vertx();
    private final List<HttpServerResponse> streams = new CopyOnWriteArrayList<>();
    private final List<String> streamUris = new CopyOnWriteArrayList<>();
    private volatile String status = "RUNNING";
    private volatile int streamStatus = 200;
    private volatile int apiStatus = 200;
    private volatile int sessions;
    /** Of sessions, by the value of their cookie. */
    private final Set<String> ended = ConcurrentHashMap.newKeySet();
    /** Every request's URL and Referer. */
    private final List<String> seen = new CopyOnWriteArrayList<>();

    private HttpServer server;
    private Chromium browser;

    @BeforeEach
    void start() throws Exception {
        server = vertx.createHttpServer()
                .requestHandler(this::handle)
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
        browser = new Chromium(vertx);
    }

    @AfterEach
    void stop() throws Exception {
        if (browser != null) {
            browser.close();
        }
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private void handle(HttpServerRequest request) {
        seen.add(request.uri() + " " + request.getHeader("Referer"));
        HttpServerResponse response = request.response();
        String path = request.path();
        if (path.startsWith("/v2/")) {
            api(request, response, path);
            return;
        }
        String file = path.equals("/") ? "/index.html" : path;
        String type = file.endsWith(".js")
                ? "text/javascript"
                : file.endsWith(".css") ? "text/css" : file.endsWith(".svg") ? "image/svg+xml" : "text/html";
        response.putHeader("Content-Type", type);
        response.putHeader(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self';"
                        + " connect-src 'self'; img-src 'self'; frame-ancestors 'none'");
        response.sendFile("src/main/resources/webroot" + file)
                .onFailure(failure -> response.setStatusCode(404).end());
    }

    private void api(HttpServerRequest request, HttpServerResponse response, String path) {
        boolean stream = path.endsWith("/stream");
        if (path.equals("/v2/session")) {
            boolean valid = request.method().name().equals("POST")
                    && ("Bearer " + TOKEN).equals(request.getHeader("Authorization"));
            sessions += valid ? 1 : 0;
            response.setStatusCode(valid ? 200 : 401)
                    .putHeader("Set-Cookie", valid ? "s=" + sessions + "; Path=/; HttpOnly; SameSite=Strict" : "x=")
                    .end("{}");
            return;
        }
        Cookie cookie = request.getCookie("s");
        boolean allowed = cookie != null && !ended.contains(cookie.getValue());
        if (!allowed || (!stream && apiStatus != 200)) {
            response.setStatusCode(allowed ? apiStatus : 401).end("{}");
        } else if (stream) {
            streamUris.add(request.uri() + " " + request.getHeader("Last-Event-ID"));
            if (streamStatus != 200) {
                response.setStatusCode(streamStatus).end();
                return;
            }
            response.setChunked(true)
                    .putHeader("Content-Type", "text/event-stream")
                    .write("retry: 200\n\n");
            streams.add(response);
        } else if (path.equals("/v2/executions")) {
            response.end(new JsonObject()
                    .put(
                            "executions",
                            new JsonArray()
                                    .add(state(RUN, "invoice-intake", status, 45.5))
                                    .add(state("warehouse-sync-0007", "warehouse-sync", "FAILED", 60))
                                    .add(state(
                                            "<img src=x onerror=document.title='hacked'>",
                                            "customer-onboarding",
                                            "SUCCEEDED",
                                            100)))
                    .encode());
        } else {
            response.end(state(RUN, "invoice-intake", status, 45.5).encode());
        }
    }

    private static JsonObject state(String id, String workflow, String status, double progress) {
        return new JsonObject()
                .put("execution_id", id)
                .put("workflow_id", workflow)
                .put("status", status)
                .put("last_seq", 7)
                .put("total_logs", 1234)
                .put("error_count", status.equals("FAILED") ? 2 : 0)
                .put("warning_count", 1)
                .put("started_at", "2026-03-01T12:00:00.000000Z")
                .put("last_entry_at", "2026-03-01T12:00:07.000000Z")
                .put("progress_percentage", progress);
    }

    private static JsonObject entry(long seq, String level, String message) {
        return new JsonObject()
                .put("seq", seq)
                .put("timestamp", "2026-03-01T12:00:0" + seq % 10 + ".123456Z")
                .put("level", level)
                .put("event_type", "log")
                .put("message", message)
                .put("node_name", "Read documents")
                .put("data", new JsonObject());
    }

    private void send(JsonObject entry) {
        send(entry.getLong("seq"), "LOG", entry);
    }

    private void send(long id, String type, JsonObject data) {
        HttpServerResponse live = streams.get(streams.size() - 1);
        live.write("id: " + id + "\nevent: message\ndata: "
                + new JsonObject()
                        .put("event_type", type)
                        .put("session_id", RUN)
                        .put("is_final", type.equals("COMPLETE"))
                        .put("data", data)
                        .encode()
                + "\n\n");
    }

    private String url(String fragment) {
        return "http://127.0.0.1:" + server.actualPort() + "/" + fragment;
    }

    private void watch() throws Exception {
        browser.open(url("#token=" + TOKEN + "&execution=" + RUN));
        browser.await("document.getElementById('connection').textContent === 'Live'");
    }

    private String text(String selector) throws Exception {
        return String.valueOf(browser.evaluate("document.querySelector(" + quoted(selector) + ").innerText"));
    }

    private long count(String selector) throws Exception {
        return ((Number) browser.evaluate("document.querySelectorAll(" + quoted(selector) + ").length")).longValue();
    }

    private static String quoted(String text) {
        return new JsonArray().add(text).encode().replaceAll("^\\[|\\]$", "");
    }

    private void awaitRows(long rows) throws Exception {
        browser.await("document.querySelectorAll('#log .row').length === " + rows);
    }

    private void sendARun() {
        send(entry(1, "info", "Invoice intake started for mailbox batch 4711")
                .put("raw_message", "run started: invoice-intake")
                .put("event_type", "workflow_started"));
        send(entry(2, "debug", "ocr: page 1/3, 300 dpi, deskewed by 0.4°"));
        send(entry(3, "info", "extract: total=1 currency=EUR confidence=0.97").put("progress_percentage", 62.5));
        send(entry(4, "warning", "The other side is busy; trying again (1)")
                .put("raw_message", "book: upstream answered 503, retry in 1 s")
                .put("attempt", 2));
        send(entry(5, "info", "128 documents read")
                .put("raw_message", "read: completed items=128")
                .put("event_type", "step_completed")
                .put("is_milestone", true));
        send(entry(6, "error", "The ledger is closed for this month")
                .put("raw_message", "book: PeriodClosedException: period is locked")
                .put("error_code", "LEDGER_CLOSED")
                .put(
                        "stack_trace",
                        "PeriodClosedException: period is locked\n    at ledger.Period.requireOpen(Period.java:33)"));
        send(entry(7, "critical", "worker pool exhausted, no thread for 30 s"));
    }

    @Test
    void anExecutionIsSeenWhileItHappens() throws Exception {
        watch();
        sendARun();
        awaitRows(7);

        assertThat(text("#title")).isEqualTo("invoice-intake");
        assertThat(text("#subtitle")).isEqualTo(RUN);
        assertThat(text("#status")).isEqualTo("running");
        assertThat(text("#log")).contains("Invoice intake started", "Read documents", "confidence=0.97", "(attempt 2)");
        assertThat(count("#log .row[data-level=error] details")).isEqualTo(1);
        assertThat(count("#log .row.milestone")).isEqualTo(1);
        assertThat(text("#counts")).isEqualTo("1,234 entries, 0 errors, 1 warning");
        assertThat(count("#executions button")).isEqualTo(3);
        assertThat(count("#executions button[aria-current=true]")).isEqualTo(1);
        browser.evaluate("document.querySelector('.row[data-level=error] summary').click()");
        assertThat(text(".row[data-level=error] pre")).contains("LEDGER_CLOSED", "Period.java:33");

        browser.dark(false);
        browser.screenshot(SHOTS.resolve("page-light.png"));
        browser.dark(true);
        browser.screenshot(SHOTS.resolve("page-dark.png"));
        browser.size(390, 780);
        browser.screenshot(SHOTS.resolve("page-narrow.png"));
        assertThat((Boolean) browser.evaluate("document.documentElement.scrollWidth <= innerWidth"))
                .isTrue();
        assertThat(browser.complaints).isEmpty();
    }

    @Test
    void theTokenBecomesACookieAndIsNowhereElse() throws Exception {
        watch();

        assertThat((String) browser.evaluate("location.href")).isEqualTo(url("#execution=" + RUN));
        assertThat((Object) browser.evaluate("history.length + sessionStorage.length + localStorage.length"))
                .as("nothing is kept, and going back does not bring the link back")
                .isEqualTo(browser.evaluate("history.length"));
        assertThat((String) browser.evaluate("document.cookie"))
                .as("what a script can read")
                .isEmpty();
        browser.command("Page.reload", new JsonObject());
        browser.await("performance.getEntriesByType('navigation')[0].type === 'reload'"
                + " && document.getElementById('connection').textContent === 'Live'");
        assertThat(sessions).as("the cookie is enough").isEqualTo(1);
        assertThat(seen).isNotEmpty().noneMatch(request -> request.contains(TOKEN));
        assertThat(streamUris).hasSize(2).noneMatch(uri -> uri.contains("token"));
    }

    @Test
    void anotherTabNeedsNoTokenAndOneMayWatchOneAfterTheOther() throws Exception {
        watch();
        browser.open("about:blank"); // a document of its own, as another tab is
        browser.await("location.href === 'about:blank'");
        browser.open(url("#execution=" + RUN));
        browser.await("document.getElementById('connection').textContent === 'Live'");
        browser.await("document.querySelectorAll('#executions button').length === 3");
        browser.evaluate("document.querySelectorAll('#executions button')[1].click()");
        browser.await("document.getElementById('connection').textContent === 'Live'");

        assertThat(streamUris.get(streamUris.size() - 1)).contains("warehouse-sync-0007");
        assertThat((String) browser.evaluate("location.hash")).isEqualTo("#execution=warehouse-sync-0007");
        assertThat(sessions).isEqualTo(1);
    }

    @Test
    void aSessionThatEndsIsSaidAndANewTokenGoesOnWhereItWas() throws Exception {
        watch();
        ended.add("1");
        browser.await("!document.getElementById('sign-in').hidden");
        assertThat(text("#connection")).isEqualTo("The session has ended");
        assertThat(text("#why")).isEqualTo("The session has ended");
        browser.dark(false);
        browser.screenshot(SHOTS.resolve("page-session-ended.png"));
        long asked = seen.size();

        browser.evaluate("document.getElementById('token').value = '" + TOKEN + "'");
        browser.key("Enter");
        browser.await("document.getElementById('connection').textContent === 'Live'");
        assertThat(text("#subtitle")).isEqualTo(RUN);
        assertThat(count("#sign-in:not([hidden])")).isZero();
        assertThat(asked)
                .as("it does not ask on and on while nobody is signed in")
                .isLessThan(100);
    }

    @Test
    void theEndOfTheTokenEndsTheStreamWithAWord() throws Exception {
        watch();
        send(1, "ERROR", new JsonObject().put("error_type", "token_expired").put("error", "The token has expired"));
        browser.await("!document.getElementById('sign-in').hidden");
        assertThat(text("#why")).isEqualTo("The session has ended");
    }

    @Test
    void whoIsNotSignedInIsAskedFor() throws Exception {
        browser.open(url("#execution=" + RUN));
        browser.await("!document.getElementById('sign-in').hidden");
        assertThat(text("#why")).isEqualTo("You are not signed in");
        browser.evaluate("document.getElementById('token').value = '" + TOKEN + "'");
        browser.key("Enter");
        browser.await("document.getElementById('connection').textContent === 'Live'");
        assertThat(text("#subtitle")).as("where the link led").isEqualTo(RUN);
    }

    @Test
    void hostileContentStaysText() throws Exception {
        watch();
        send(entry(1, "info", "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">")
                .put("node_name", "\"><svg onload=document.title='hacked'>"));
        send(entry(
                2,
                "warning",
                "\u001b[31mred\u001b[0m \u001b]8;;http://x.invalid\u0007link\u001b]8;;\u0007 bell\u0007"));
        send(entry(3, "info\" onmouseover=\"document.title='hacked'", "level is hostile"));
        send(entry(4, "info", "user \u202e gnp.exe"));
        send(entry(5, "info", "data: x\n\nid: 99\ndata: {\"event_type\":\"COMPLETE\"}"));
        awaitRows(5);

        assertThat(text("#log"))
                .contains("<script>document.title='hacked'</script>", "red link bell␇", "user � gnp.exe");
        assertThat(count("#log script, #log img, #log svg, #log a, #executions img"))
                .isZero();
        assertThat(text("#executions")).contains("<img src=x onerror");
        assertThat((String) browser.evaluate("document.title")).doesNotContain("hacked");
        assertThat(text("#connection")).isEqualTo("Live");
    }

    @Test
    void hostileContentRunsNowhereAndBreaksNoLayout() throws Exception {
        watch();
        String script = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
                + "<svg/onload=window.hacked=1><a href=javascript:window.hacked=1>x</a>";
        String long1 = "w".repeat(10_240);
        send(entry(1, "info", script)
                .put("raw_message", script)
                .put("node_name", script)
                .put("error_code", script)
                .put("stack_trace", script)
                .put("data", new JsonObject().put(script, new JsonArray().add(script)))
                .put("technical_details", new JsonObject().put("__proto__", new JsonObject().put("x", script))));
        send(entry(2, "error", long1)
                .put("node_name", long1)
                .put("raw_message", long1)
                .put("stack_trace", long1)
                .put("data", new JsonObject().put(long1, long1)));
        send(entry(3, "warning", "\u05d0\u05d1\u05d2 \u202euser\u2066 abc\u2069 \u200f")
                .put("node_name", "\u05d0\u202e\u05d1"));
        send(entry(
                4,
                "info",
                "\u009b31m\u009d52;c;eA==\u009c \u001bP+q\u001b\\ \u001b]52;c;eA==\u0007 end\r\nnext\u2028line"));
        send(entry(5, "info", "\n\ndata: x\nid: 9\nevent: y\n\n"));
        send(5, "ERROR", new JsonObject().put("error", script + long1));
        awaitRows(6);
        for (int seq = 1; seq <= 2; seq++) {
            browser.evaluate("document.querySelector('.row[data-seq=\"" + seq + "\"] summary').click()");
        }

        for (int[] size : new int[][] {{1280, 800}, {390, 780}}) {
            browser.size(size[0], size[1]);
            assertThat(
                            (Boolean)
                                    browser.evaluate(
                                            "[document.documentElement, document.body, scroller, log,"
                                                    + " ...document.querySelectorAll('.row, .row pre, .side, .head')]"
                                                    + ".every((e) => e.scrollWidth <= e.clientWidth || getComputedStyle(e).overflowX === 'hidden')"))
                    .as("nothing is wider than its place at %d pixels", size[0])
                    .isTrue();
            browser.evaluate("document.getElementById('scroller').scrollTop = 0");
            browser.screenshot(SHOTS.resolve("page-hostile-" + size[0] + ".png"));
        }
        assertThat((Object) browser.evaluate("typeof window.hacked")).isEqualTo("undefined");
        assertThat(count("#log script, #log img, #log svg, #log a")).isZero();
        assertThat((Boolean)
                        browser.evaluate("[...document.querySelectorAll('.row .text, .row pre, .row .node, .titles h1,"
                                + " .side .id')].every((e) => getComputedStyle(e).unicodeBidi === 'isolate')"))
                .as("text that turns around turns nothing beside it")
                .isTrue();
        assertThat((Boolean) browser.evaluate(
                        "!/[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]/"
                                + ".test(log.textContent)"))
                .isTrue();
        assertThat(count("#log .row")).as("entries are what was sent").isEqualTo(6);
    }

    @Test
    void gapsAreSaidAndTheEndToo() throws Exception {
        watch();
        send(40, "GAP", new JsonObject().put("from_seq", 1).put("to_seq", 40).put("reason", "technical_expired"));
        send(entry(41, "info", "still here"));
        status = "SUCCEEDED";
        send(
                41,
                "COMPLETE",
                new JsonObject()
                        .put("status", "SUCCEEDED")
                        .put("total_logs", 41)
                        .put("last_seq", 41));
        browser.await("document.getElementById('connection').textContent === 'Ended'");
        awaitRows(3);

        assertThat(text("#log"))
                .contains(
                        "Entries 1 to 40 can no longer be had (technical expired)",
                        "The execution succeeded after 41 entries");
        browser.await("document.getElementById('status').textContent === 'succeeded'");
        assertThat(streams).as("it does not come back").hasSize(1);
    }

    @Test
    void aLostConnectionIsShownAndResumedAfterTheLastEntry() throws Exception {
        watch();
        send(entry(7, "info", "before"));
        awaitRows(1);
        HttpServerResponse first = streams.get(0);
        streamStatus = 503; // the browser's own reconnect is refused, which ends an EventSource for good
        first.end();
        browser.await("document.getElementById('connection').dataset.state === 'reconnecting'");
        while (streamUris.size() < 2) {
            Thread.sleep(10); // await below bounds the whole
        }
        streamStatus = 200;
        browser.await("document.getElementById('connection').textContent === 'Live'");
        send(entry(8, "info", "after"));
        awaitRows(2);

        assertThat(streamUris.get(1)).as("the browser's").endsWith(" 7");
        assertThat(streamUris.get(streamUris.size() - 1)).as("the page's").contains("last_event_id=7");
    }

    @Test
    void aTokenThatIsNotAcceptedAsksForAnother() throws Exception {
        browser.open(url("#token=old&execution=" + RUN));
        browser.await("!document.getElementById('sign-in').hidden");
        assertThat(text("#connection")).isEqualTo("The token is not valid");
        assertThat((String) browser.evaluate("location.href")).doesNotContain("old");

        browser.evaluate("document.getElementById('token').value = '" + TOKEN + "'");
        browser.key("Enter");
        browser.await("document.getElementById('connection').textContent === 'Live'");
    }

    @Test
    void aThousandsOfLinesDoNotFillTheBrowserAndAReaderIsLeftInPeace() throws Exception {
        watch();
        for (int seq = 1; seq <= 5_000; seq++) {
            send(entry(seq, "debug", "line " + seq));
        }
        browser.await("document.querySelector('#log .row:last-child').innerText.includes('line 5000')");
        assertThat(count("#log .row")).isLessThanOrEqualTo(2_000);
        assertThat(text("#cut")).contains("newest 2,000", "3,000 older");
        assertThat((Boolean)
                        browser.evaluate("scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2"))
                .as("follows")
                .isTrue();

        browser.evaluate("document.getElementById('scroller').scrollTop = 30000");
        browser.await("!document.getElementById('follow').hidden");
        String firstSeen = "document.elementFromPoint(700, 400).closest('.row').dataset.seq";
        Object before = browser.evaluate(firstSeen);
        for (int seq = 5_001; seq <= 5_500; seq++) {
            send(entry(seq, "debug", "line " + seq));
        }
        browser.await("document.querySelector('#log .row:last-child').innerText.includes('line 5500')");
        assertThat((Object) browser.evaluate(firstSeen))
                .as("the line being read stays")
                .isEqualTo(before);
        assertThat(count("#log .row")).isLessThanOrEqualTo(2_200);

        browser.evaluate("document.getElementById('follow').click()");
        browser.await("document.getElementById('follow').hidden");
        assertThat((Boolean)
                        browser.evaluate("scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2"))
                .isTrue();
    }

    @Test
    void theLevelIsChosenByTheServer() throws Exception {
        watch();
        assertThat(streamUris.get(0)).contains("min_level=debug", "tail=2000", "wait=300");
        send(entry(1, "debug", "noise"));
        awaitRows(1);
        browser.evaluate("const s = document.getElementById('min-level'); s.value = 'warning';"
                + " s.dispatchEvent(new Event('change'))");
        awaitRows(0);
        browser.await("document.getElementById('connection').textContent === 'Live'");
        assertThat(streamUris.get(1)).contains("min_level=warning", "tail=2000").doesNotContain("last_event_id");
    }

    @Test
    void theKeyboardIsEnough() throws Exception {
        browser.open(url("#token=" + TOKEN));
        browser.await("document.querySelectorAll('#executions button').length === 3");
        browser.key("Tab"); // the link past the list
        assertThat((String) browser.evaluate("document.activeElement.className"))
                .isEqualTo("skip");
        browser.key("Tab");
        assertThat((String) browser.evaluate("document.activeElement.dataset.execution"))
                .isEqualTo(RUN);
        browser.key("Enter");
        browser.await("document.getElementById('connection').textContent === 'Live'");
        browser.screenshot(SHOTS.resolve("page-keyboard.png"));
    }

    @Test
    void anExecutionThatOneMayNotReadIsSaid() throws Exception {
        streamStatus = 404;
        apiStatus = 404;
        browser.open(url("#token=" + TOKEN + "&execution=" + RUN));
        browser.await("document.getElementById('connection').dataset.state === 'error'");
        assertThat(text("#connection")).contains("no such execution");
    }
}
