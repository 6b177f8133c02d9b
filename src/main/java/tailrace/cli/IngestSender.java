package tailrace.cli;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One connection that posts batches and writes down what was acknowledged. Batch i goes to execution i mod n, so any
 * execution is written over every connection. Belongs to one worker of {@link OpenLoop}.
 */
final class IngestSender implements OpenLoop.Sender {
    private final HttpConnection connection;
    private final BatchTemplate.Buffer buffer;
    private final int batch;
    private final List<byte[]> executions;
    private final @Nullable AckLedger ledger;
    private final BenchClock clock;
    private final FirstProblem problem;

    /** The first thing that went wrong in a run, for the report; the rest is counted. Safe for any thread. */
    static final class FirstProblem {
        private final AtomicReference<@Nullable String> text = new AtomicReference<>();

        void report(String what) {
            text.compareAndSet(null, HttpConnection.printable(what));
        }

        /** " First: …" or nothing. */
        String suffix() {
            String first = text.get();
            return first == null ? "" : " First: " + first;
        }
    }

    /** @param ledger null where the answers carry nothing (the empty endpoint) */
    IngestSender(
            BenchTarget.Server server,
            BatchTemplate template,
            List<String> executions,
            @Nullable AckLedger ledger,
            BenchClock clock,
            FirstProblem problem) {
        this.connection = new HttpConnection(server);
        this.buffer = template.new Buffer();
        this.batch = template.batch();
        this.executions = executions.stream()
                .map(id -> id.getBytes(StandardCharsets.US_ASCII))
                .toList();
        this.ledger = ledger;
        this.clock = clock;
        this.problem = problem;
    }

    @Override
    public OpenLoop.Outcome send(long number, long dueNanos) {
        int execution = (int) (number % executions.size());
        int length = buffer.fill(number, executions.get(execution), clock.micros(dueNanos));
        try {
            HttpConnection.Response response = connection.exchange(buffer.bytes(), length);
            if (response.status() == 429 || response.status() == 503) {
                problem.report("status " + response.status() + ' ' + response.text());
                return OpenLoop.Outcome.REFUSED;
            }
            if (response.status() != 202) {
                throw new IOException("status " + response.status() + ' ' + response.text());
            }
            return ledger == null
                    ? OpenLoop.Outcome.acknowledged(batch)
                    : answered(ledger, execution, number, response);
        } catch (IOException | DecodeException | ClassCastException | NullPointerException e) {
            problem.report(String.valueOf(e.getMessage()));
            if (ledger != null) {
                ledger.unknown(execution);
            }
            return OpenLoop.Outcome.FAILED;
        }
    }

    private OpenLoop.Outcome answered(AckLedger acks, int execution, long number, HttpConnection.Response response)
            throws IOException {
        JsonObject answer = new JsonObject(response.text());
        JsonArray ranges = answer.getJsonArray("executions", new JsonArray());
        int accepted = answer.getInteger("accepted", 0);
        if (accepted != batch || ranges.size() != 1) {
            throw new IOException("not all of a batch of " + batch + " was taken: " + answer.encode());
        }
        JsonObject range = ranges.getJsonObject(0);
        long first = range.getLong("first_seq");
        if (range.getLong("last_seq") - first + 1 != batch) {
            throw new IOException("a batch of " + batch + " was given other seqs than one range: " + answer.encode());
        }
        acks.acknowledged(new AckLedger.Ack(execution, first, number * batch, batch));
        return OpenLoop.Outcome.acknowledged(accepted);
    }

    @Override
    public void close() {
        connection.close();
    }
}
