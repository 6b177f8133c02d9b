package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.postgres.FlushHints;
import tailrace.postgres.Inbox;
import tailrace.postgres.Listener;
import tailrace.postgres.Processes;

/**
 * Runs what PostgreSQL and the other processes on it tell us and hear from us: the connection that listens, the taking
 * in of {@code log_inbox}, this process's heartbeat, and the hints of what was flushed. Notifications and bus messages
 * only make it look sooner; a slow poll is the net under them. Deploy it once, after the journal and the writer.
 */
public final class NotifyVerticle extends VerticleBase {
    /** Rows that no notification announced wait this long at most. */
    public static final Duration POLL = Duration.ofSeconds(10);

    private final Listener listener;
    private final Inbox inbox;
    private final Processes processes;
    private final FlushHints hints;
    private final Duration poll;
    private final List<MessageConsumer<?>> consumers = new ArrayList<>();

    /** @param poll {@link #POLL}, but for tests */
    public NotifyVerticle(Listener listener, Inbox inbox, Processes processes, FlushHints hints, Duration poll) {
        this.listener = listener;
        this.inbox = inbox;
        this.processes = processes;
        this.hints = hints;
        this.poll = poll;
    }

    @Override
    public Future<?> start() {
        consumers.add(vertx.eventBus().localConsumer(Address.WRITER_STATE, message -> writerChanged()));
        consumers.add(vertx.eventBus()
                .<BusMessage.Flushed>localConsumer(
                        Address.FLUSHED, message -> hints.flushed(message.body().executions())));
        listener.start(inbox::resume, inbox::wake);
        vertx.setPeriodic(poll.toMillis(), id -> inbox.poll());
        vertx.setPeriodic(Processes.HEARTBEAT.toMillis(), id -> processes.heartbeat());
        writerChanged();
        return Future.succeededFuture();
    }

    private void writerChanged() {
        processes.heartbeat();
        inbox.resume();
    }

    @Override
    public Future<?> stop() {
        return Future.join(consumers.stream().map(MessageConsumer::unregister).toList())
                .eventually(() -> Future.join(inbox.stop(), processes.stop()))
                .eventually(listener::close);
    }
}
