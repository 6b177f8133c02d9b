package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.Message;
import java.util.concurrent.CompletableFuture;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.bus.Failure;
import tailrace.journal.CommitLoop;
import tailrace.journal.IdempotencyConflictException;
import tailrace.journal.JournalFullException;
import tailrace.journal.JournalUnavailableException;

/** The door of the journal: hands requests from the bus to the journal thread and answers after their fsync. */
public final class JournalVerticle extends VerticleBase {
    private final CommitLoop loop;

    public JournalVerticle(CommitLoop loop) {
        this.loop = loop;
    }

    @Override
    public Future<?> start() {
        return vertx.eventBus()
                .<BusMessage>localConsumer(Address.JOURNAL, this::handle)
                .completion();
    }

    private void handle(Message<BusMessage> message) {
        if (message.body() instanceof BusMessage.Append append) {
            reply(message, loop.append(append.batch()));
        } else if (message.body() instanceof BusMessage.Update update) {
            reply(message, loop.update(update.update()));
        } else {
            message.fail(Failure.INTERNAL, "the journal takes no " + message.body());
        }
    }

    private static void reply(Message<BusMessage> message, CompletableFuture<? extends BusMessage> answer) {
        answer.whenComplete((value, failure) -> {
            if (failure == null) {
                message.reply(value);
            } else {
                message.fail(code(failure), String.valueOf(failure.getMessage()));
            }
        });
    }

    private static int code(Throwable failure) {
        if (failure instanceof JournalUnavailableException) {
            return Failure.JOURNAL_UNAVAILABLE;
        }
        if (failure instanceof JournalFullException) {
            return Failure.JOURNAL_FULL;
        }
        return failure instanceof IdempotencyConflictException ? Failure.IDEMPOTENCY_CONFLICT : Failure.INTERNAL;
    }
}
