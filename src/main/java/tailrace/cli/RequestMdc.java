package tailrace.cli;

import ch.qos.logback.classic.util.LogbackMDCAdapter;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.spi.MDCAdapter;
import tailrace.http.RequestTrace;

/**
 * What log lines know of their surroundings: SLF4J's own map, and the request this thread works for now. An event loop
 * serves many requests in turn, so the latter is asked for at each line and never kept on the thread.
 */
final class RequestMdc extends LogbackMDCAdapter {
    private final MDCAdapter threads;

    /** @param threads where SLF4J puts what code sets by hand */
    RequestMdc(MDCAdapter threads) {
        this.threads = threads;
    }

    @Override
    public @Nullable Map<String, String> getPropertyMap() {
        Map<String, String> byHand = threads.getCopyOfContextMap();
        Optional<RequestTrace> trace = RequestTrace.current();
        if (trace.isEmpty()) {
            return byHand;
        }
        Map<String, String> all = byHand == null ? new HashMap<>() : byHand;
        all.put("request_id", trace.get().requestId());
        trace.get().traceId().ifPresent(id -> all.put("trace_id", id));
        return all;
    }
}
