package tailrace.cli;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * Asks the server for what it acknowledged. Every execution's counts are compared; entries are read back by seq, and
 * each must be the one that was acknowledged under that seq. Belongs to one thread.
 */
final class IngestVerifier {
    /** The largest page history gives. */
    private static final int PAGE = 1_000;
    /** One entry lost in a hundred batches would be found with 99.9 %. */
    private static final int SAMPLED_BATCHES = 500;
    /** Enough to see what is wrong. */
    private static final int MAX_FINDINGS = 10;

    private final BenchTarget.Server server;
    private final AckLedger ledger;
    private final List<String> findings = new ArrayList<>();
    private long found;
    private long read;

    /** How much is read back; named as the user types it. */
    enum Mode {
        none,
        sample,
        full
    }

    IngestVerifier(BenchTarget.Server server, AckLedger ledger) {
        this.server = server;
        this.ledger = ledger;
    }

    /** Entries read back and compared so far; for progress, roughly right from other threads. */
    long read() {
        return read;
    }

    /**
     * Compares, and returns what is wrong; empty if nothing is. Of very many findings the first are returned.
     *
     * @throws IOException if the server does not answer
     */
    List<String> verify(Mode mode) throws IOException {
        if (mode != Mode.none) {
            try (HttpConnection connection = new HttpConnection(server)) {
                for (int execution = 0; execution < ledger.executions(); execution++) {
                    if (ledger.acknowledged(execution) > 0) {
                        counts(connection, execution);
                    }
                }
                List<AckLedger.Ack> acks = new ArrayList<>(ledger.acks());
                if (mode == Mode.sample) {
                    Collections.shuffle(acks, new Random(1));
                    acks = acks.subList(0, Math.min(SAMPLED_BATCHES, acks.size()));
                }
                acks.sort(Comparator.comparingInt(AckLedger.Ack::execution).thenComparingLong(AckLedger.Ack::firstSeq));
                read(connection, acks);
            }
        }
        if (found > findings.size()) {
            findings.add("and " + (found - findings.size()) + " more");
        }
        return List.copyOf(findings);
    }

    private void counts(HttpConnection connection, int execution) throws IOException {
        String id = ledger.id(execution);
        JsonObject state = json(connection, "/v2/executions/" + encode(id));
        long total = state.getLong("total_logs", -1L);
        long last = state.getLong("last_seq", -1L);
        long acknowledged = ledger.acknowledged(execution);
        if (total < acknowledged || last < ledger.lastSeq(execution)) {
            finding(id + " has total_logs " + total + " and last_seq " + last + ", but " + acknowledged
                    + " entries up to seq " + ledger.lastSeq(execution) + " were acknowledged");
        } else if (ledger.exact(execution) && (total != acknowledged || last != acknowledged)) {
            finding(id + " has total_logs " + total + " and last_seq " + last + " for " + acknowledged
                    + " acknowledged entries: seqs have a hole, or entries are there twice");
        }
    }

    /** Reads batches that are sorted by execution and seq, several neighbours with one page. */
    private void read(HttpConnection connection, List<AckLedger.Ack> acks) throws IOException {
        int at = 0;
        while (at < acks.size()) {
            AckLedger.Ack first = acks.get(at);
            int end = at + 1;
            long to = first.firstSeq() + first.count();
            while (end < acks.size()
                    && acks.get(end).execution() == first.execution()
                    && acks.get(end).firstSeq() == to
                    && to + acks.get(end).count() - first.firstSeq() <= PAGE) {
                to += acks.get(end).count();
                end++;
            }
            compare(connection, acks.subList(at, end), (int) (to - first.firstSeq()));
            at = end;
        }
    }

    private void compare(HttpConnection connection, List<AckLedger.Ack> acks, int entries) throws IOException {
        AckLedger.Ack first = acks.get(0);
        String id = ledger.id(first.execution());
        List<JsonObject> logs = new ArrayList<>();
        while (logs.size() < entries) { // a batch may be larger than a page
            long after = first.firstSeq() - 1 + logs.size();
            JsonArray page = json(
                            connection,
                            "/v2/workflows/executions/" + encode(id) + "/logs?order=asc&after_seq=" + after + "&limit="
                                    + Math.min(PAGE, entries - logs.size()))
                    .getJsonArray("logs", new JsonArray());
            if (page.isEmpty()) {
                break;
            }
            page.forEach(log -> logs.add((JsonObject) log));
        }
        int at = 0;
        for (AckLedger.Ack ack : acks) {
            for (int i = 0; i < ack.count(); i++, at++) {
                read++;
                entry(id, ack.firstSeq() + i, ack.firstEntry() + i, at < logs.size() ? logs.get(at) : null);
            }
        }
    }

    private void entry(String id, long seq, long number, @org.jspecify.annotations.Nullable JsonObject log) {
        if (log == null) {
            finding(id + ": seq " + seq + " was acknowledged and is not in the history");
            return;
        }
        long gotSeq = log.getLong("seq", -1L);
        long gotNumber = log.getJsonObject("data", new JsonObject()).getLong("n", -1L) - BatchTemplate.NUMBER_BASE;
        if (gotSeq != seq || gotNumber != number) {
            finding(id + ": where seq " + seq + " with entry " + number + " belongs, history has seq " + gotSeq
                    + " with entry " + gotNumber);
        }
    }

    private JsonObject json(HttpConnection connection, String path) throws IOException {
        HttpConnection.Response response = connection.get(server, path);
        if (response.status() != 200) {
            throw new IOException("GET " + path + " answered " + response.status() + ": "
                    + HttpConnection.printable(response.text()));
        }
        try {
            return new JsonObject(response.text());
        } catch (DecodeException e) {
            throw new IOException("GET " + path + " answered no JSON", e);
        }
    }

    private void finding(String text) {
        found++;
        if (findings.size() < MAX_FINDINGS) {
            findings.add(text);
        }
    }

    static String encode(String id) {
        return URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
