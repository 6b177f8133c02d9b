package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;

/** Somebody who watches an execution that an {@link EntryFeed} fills, on one connection and a thread of its own. */
final class LiveFollower implements AutoCloseable {
    private static final int MAX_DELAY_MILLIS = 120_000;

    private final Api.Stream stream;
    private final Histogram delayMillis = new Histogram(MAX_DELAY_MILLIS, 3);
    private final List<Long> seqs = new ArrayList<>();
    private final List<String> others = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "live-follower");
    private volatile long last;
    private volatile boolean ended;

    LiveFollower(Api api, String executionId, String query) throws IOException, InterruptedException {
        stream = api.stream(executionId, query);
        assertThat(stream.status).isEqualTo(200);
        thread.start();
    }

    private void run() {
        try {
            for (Api.Event event; (event = stream.next()) != null; ) {
                take(event);
            }
        } catch (IOException e) {
            // closed by us, or with the server
        }
        ended = true;
    }

    private synchronized void take(Api.Event event) {
        if (event.type().equals("LOG")) {
            seqs.add(event.seq());
            last = event.seq();
            if (event.data().get("data").path("is_realtime").asBoolean()) {
                long at = event.data().get("data").get("data").get("at").asLong();
                delayMillis.recordValue(Math.min(MAX_DELAY_MILLIS, (System.nanoTime() - at) / 1_000_000));
            }
        } else {
            others.add(event.type());
        }
    }

    LiveFollower awaitSeq(long seq, Duration patience) {
        AwaitCondition.until("a live reader gets to " + seq, patience, () -> last >= seq || ended);
        assertThat(last).as("where the stream is").isGreaterThanOrEqualTo(seq);
        return this;
    }

    /** It has seen every entry up to this one once and in order, and nothing else. */
    synchronized LiveFollower assertSeen(long lastSeq) {
        assertThat(seqs).isEqualTo(LongStream.rangeClosed(1, lastSeq).boxed().toList());
        assertThat(others).isEmpty();
        return this;
    }

    synchronized Histogram delayMillis() {
        return delayMillis.copy();
    }

    @Override
    public void close() throws Exception {
        stream.close();
        thread.join();
    }
}
