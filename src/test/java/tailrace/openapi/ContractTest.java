package tailrace.openapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That the contract fails where it should: a good exchange, with one thing wrong at a time. */
class ContractTest {
    private static final String LOGS = "/v2/workflows/executions/e1/logs";
    private static final String ENTRY = """
            {"seq":1,"id":"019a2b3c-0000-7000-8000-000000000003","timestamp":"2026-01-31T12:00:00.000000Z",\
            "received_at":"2026-01-31T12:00:00.004000Z","level":"info","event_type":"log","log_category":"technical",\
            "message":"m","node_name":null,"data":{}}""";
    private static final String PAGE = "{\"execution_id\":\"e1\",\"status\":\"NEW\",\"logs\":[" + ENTRY
            + "],\"total_count\":1,\"pagination\":{\"limit\":100,\"offset\":0,\"has_more\":false,\"next_cursor\":\"ATE\"},"
            + "\"last_seq\":1,\"coverage\":{\"complete\":true}}";
    private static final String PROBLEM = """
            {"type":"urn:tailrace:problem:not_found","title":"Not Found","status":404,"code":"not_found","detail":"d",\
            "request_id":"r"}""";
    private static final String EVENT =
            "{\"event_type\":\"LOG\",\"session_id\":\"e1\",\"is_final\":false,\"timestamp\":\"2026-01-31T12:00:00.000000Z\","
                    + "\"data\":" + ENTRY + "}";

    /** What one test changes of a good exchange. */
    private static final class Draft {
        String method = "GET";
        String uri = LOGS;
        final Map<String, String> asked = new HashMap<>();
        String sent;
        boolean nonsense;
        int status = 200;
        final Map<String, String> answered =
                new HashMap<>(Map.of("X-Request-ID", "r", "Content-Type", "application/json"));
        String received = PAGE;

        void check(Contract contract) {
            contract.check(new Exchange(
                    method,
                    URI.create("http://127.0.0.1:1" + uri),
                    headers(asked),
                    sent == null ? null : sent.getBytes(StandardCharsets.UTF_8),
                    nonsense,
                    status,
                    headers(answered),
                    received == null ? null : received.getBytes(StandardCharsets.UTF_8)));
        }

        void passes() {
            assertThatCode(() -> check(Contract.served())).doesNotThrowAnyException();
        }

        void fails(String... said) {
            assertThatThrownBy(() -> check(Contract.served()))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContainingAll(said);
        }

        private static HttpHeaders headers(Map<String, String> headers) {
            Map<String, List<String>> lists = new HashMap<>();
            headers.forEach((name, value) -> lists.put(name, List.of(value)));
            return HttpHeaders.of(lists, (name, value) -> true);
        }
    }

    private static Draft get(String uri) {
        Draft draft = new Draft();
        draft.uri = uri;
        return draft;
    }

    private static Draft answered(String body) {
        Draft draft = new Draft();
        draft.received = body;
        return draft;
    }

    private static Draft ingest(String body) {
        Draft draft = new Draft();
        draft.method = "POST";
        draft.uri = "/v2/executions/e1/logs";
        draft.asked.put("Content-Type", "application/json");
        draft.sent = body;
        draft.status = 202;
        draft.received = "{\"accepted\":1,\"rejected\":[],\"duplicates\":0,\"dropped\":0,\"executions\":["
                + "{\"execution_id\":\"e1\",\"first_seq\":1,\"last_seq\":1}]}";
        return draft;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                LOGS,
                LOGS + "?limit=1000&order=desc&level=error&level=WARN&min_level=info&milestone=true",
                LOGS + "?start_time=2026-01-31T12:00:00%2B01:00&end_time=1769857200000&access_token=x",
                "/api/v1/app/executions/with%20space%2Fand%20slash/logs"
            })
    void aGoodRequestPasses(String uri) {
        get(uri).passes();
    }

    @ParameterizedTest
    @CsvSource({
        "limit=0, limit",
        "limit=1001, limit",
        "limit=x, limit",
        "limit=1&limit=2, given 2 times",
        "order=up, order",
        "level=loud, level",
        "level=info&level=loud, level",
        "milestone=1, milestone",
        "start_time=yesterday, start_time",
        "ticket=x, there is no query parameter ticket",
        "levell=info, there is no query parameter levell"
    })
    void aBadParameterIsNamed(String query, String said) {
        get(LOGS + "?" + query).fails(said, "getHistory", "nonsense()");
        Draft meant = get(LOGS + "?" + query);
        meant.nonsense = true;
        meant.passes();
    }

    @Test
    void anUnknownPathOrMethodIsNamed() {
        get("/v2/nothing").fails("there is no such path");
        Draft delete = new Draft();
        delete.method = "DELETE";
        delete.fails("the path has no such method");
        delete.nonsense = true;
        delete.fails("succeeds, and is not documented");
        delete.status = 405;
        delete.received = PROBLEM;
        delete.fails("Content-Type is application/json");
        delete.answered.put("Content-Type", "application/problem+json");
        delete.passes();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"last_seq\":1 | \"last_seq\":1,\"surplus\":1 | surplus",
                ",\"last_seq\":1 | '' | last_seq",
                "\"last_seq\":1 | \"last_seq\":\"1\" | last_seq",
                "\"status\":\"NEW\" | \"status\":\"new\" | status",
                "\"complete\":true | \"complete\":false | coverage",
                "\"complete\":true | \"complete\":true,\"missing\":[] | coverage",
                "\"data\":{} | \"data\":{},\"surplus\":1 | surplus",
                "\"data\":{} | \"data\":{},\"is_realtime\":true | is_realtime",
                "\"data\":{} | \"data\":{},\"truncated\":true | original_bytes",
                "\"node_name\":null, | '' | node_name",
                "\"level\":\"info\" | \"level\":\"INFO\" | level",
                "12:00:00.004000Z | 12:00:00.004Z | received_at"
            })
    void ADriftOfABodyIsNamed(String from, String to, String said) {
        assertThat(PAGE).contains(from);
        answered(PAGE.replace(from, to)).fails(said, "the answer of getHistory");
    }

    @Test
    void aDriftOfTheRestOfAnAnswerIsNamed() {
        answered("{").fails("is not JSON");
        Draft status = new Draft();
        status.status = 206;
        status.fails("status 206 is not documented");
        Draft defect = new Draft();
        defect.status = 500;
        defect.nonsense = true;
        defect.fails("status 500 is not documented");
        Draft type = new Draft();
        type.answered.put("Content-Type", "text/html");
        type.fails("Content-Type text/html is not documented");
        Draft header = new Draft();
        header.answered.remove("X-Request-ID");
        header.fails("header X-Request-ID is missing");
        Draft problem = answered(PROBLEM);
        problem.status = 404;
        problem.answered.put("Content-Type", "application/problem+json");
        problem.passes();
        problem.received = PROBLEM.replace("\"not_found\"", "\"unheard_of\"");
        problem.fails("/code");
        problem.status = 503;
        problem.fails("header Retry-After is missing");
        Draft empty = new Draft();
        empty.method = "DELETE";
        empty.uri = "/v2/session";
        empty.status = 204;
        empty.answered.put("Set-Cookie", "tailrace_session=; Path=/");
        empty.fails("it has a body, and none is documented");
        empty.received = "";
        empty.passes();
    }

    @Test
    void aRequestsBodyIsHeldAgainstTheDocument() {
        ingest("[{\"message\":\"m\",\"level\":\"Warn\",\"of_another_name\":1,\"data\":null}]")
                .passes();
        ingest("{\"defaults\":{\"message\":\"m\"},\"entries\":[{\"step_number\":3}]}")
                .passes();
        ingest("[{\"message\":\"m\",\"level\":\"loud\"}]").fails("level", "ingestExecution");
        ingest("[{\"message\":\"\"}]").fails("message");
        ingest("[{}]").fails("message");
        ingest("[]").fails("1 item");
        ingest("{\"entries\":[{\"message\":\"m\"}],\"more\":1}").fails("more");
        ingest("").fails("the body is missing");
        Draft lines = ingest("{\"message\":\"m\"}\n\n{\"message\":1}\n");
        lines.asked.put("Content-Type", "application/x-ndjson");
        lines.fails("line 1", "message");
        lines.asked.put("Content-Type", "text/plain");
        lines.fails("a body of type text/plain is not documented");
        Draft surplus = new Draft();
        surplus.sent = "x";
        surplus.fails("it has a body, and none is documented");
        Draft key = ingest("[{\"message\":\"m\"}]");
        key.asked.put("Idempotency-Key", "k".repeat(256));
        key.fails("Idempotency-Key");
    }

    @Test
    void ofALongListBothEndsAreLookedAt() {
        String filler = ENTRY + ",";
        String good = PAGE.replace(ENTRY, filler.repeat(1_000) + ENTRY);
        answered(good).passes();
        answered(good.replaceFirst("\"seq\":1,", "")).fails("seq");
        answered(PAGE.replace(ENTRY, filler.repeat(1_000) + "{}")).fails("seq");
    }

    @Test
    void anEventIsHeldAgainstTheDocument() throws Exception {
        Contract contract = Contract.served();
        ObjectNode good = (ObjectNode) Document.JSON.readTree(EVENT);
        contract.event(good);
        contract.event(
                ((ObjectNode) good.deepCopy()).set("data", good.get("data").deepCopy()));
        for (String member : List.of("event_type", "session_id", "is_final", "timestamp", "data")) {
            assertThatThrownBy(() -> contract.event(good.deepCopy().without(member)))
                    .isInstanceOf(AssertionError.class);
        }
        for (String member : List.of("surplus", "total_logs")) {
            assertThatThrownBy(() -> contract.event(good.deepCopy().put(member, 1)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining(member);
        }
        assertThatThrownBy(() -> contract.event(good.deepCopy().put("is_final", true)))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> contract.event(good.deepCopy().put("event_type", "GAP")))
                .isInstanceOf(AssertionError.class);
        ((ObjectNode) good.get("data")).put("is_realtime", true);
        contract.event(good);
    }
}
