package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.Failure;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestAnswer;
import tailrace.model.Rejection;
import tailrace.postgres.InboxTable.Locked;

/** Has locked rows made durable, and decides which of them may be deleted. Belongs to the {@link Inbox}'s context. */
final class InboxAppend {
    private static final Logger LOG = LoggerFactory.getLogger(InboxAppend.class);
    private static final int ERROR_TEXT_MAX = 2_000;

    /** Ids remembered of rows that are appended and perhaps not deleted; more of them only the journal remembers. */
    private static final int UNCONFIRMED_MAX = 20 * Inbox.MAX_ROWS;

    private final Inbox.Intake intake;
    /** Of rows that are durable while nobody knows whether they were deleted; the journal forgets ids after a day. */
    private final Set<UUID> unconfirmed = new LinkedHashSet<>();

    InboxAppend(Inbox.Intake intake) {
        this.intake = intake;
    }

    /**
     * What became of rows.
     *
     * @param taken durable, or shed: to be deleted
     * @param refused to be kept, with the reason
     */
    record Outcome(Set<UUID> taken, Map<UUID, String> refused) {}

    /** One of several rows is at fault by a defect of ours, and has to be looked for one by one. */
    static final class DefectException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DefectException(Throwable cause) {
            super(cause);
        }
    }

    /** Fails with {@link DefectException}, or with what tells that the same may be tried again later. */
    Future<Outcome> append(List<Locked> rows) {
        Outcome outcome = new Outcome(new LinkedHashSet<>(), new LinkedHashMap<>());
        List<IncomingEntry> entries = new ArrayList<>(rows.size());
        for (Locked row : rows) {
            IncomingEntry entry = row.entry();
            if (unconfirmed.contains(row.id())) {
                outcome.taken().add(row.id());
            } else if (entry == null) {
                outcome.refused()
                        .put(
                                row.id(),
                                "entry_too_large: The entry has " + row.bytes()
                                        + " bytes of JSON; it was not read. Send less.");
            } else {
                entries.add(entry);
            }
        }
        if (entries.isEmpty()) {
            return Future.succeededFuture(outcome);
        }
        return intake.take(entries).recover(failure -> failed(entries, failure)).map(answer -> {
            answered(entries, answer, outcome);
            return outcome;
        });
    }

    private static Future<IngestAnswer> failed(List<IncomingEntry> entries, Throwable failure) {
        boolean later = failure instanceof ReplyException reply
                && (reply.failureType() != ReplyFailure.RECIPIENT_FAILURE || reply.failureCode() != Failure.INTERNAL);
        if (later) {
            return Future.failedFuture(failure);
        }
        if (entries.size() > 1) {
            return Future.failedFuture(new DefectException(failure));
        }
        LOG.error("log_inbox: row {} cannot be taken in", entries.get(0).id(), failure);
        Rejection rejection = new Rejection(0, "", "internal_error", String.valueOf(failure));
        return Future.succeededFuture(new IngestAnswer(0, List.of(rejection), 0, 0, List.of()));
    }

    private void answered(List<IncomingEntry> entries, IngestAnswer answer, Outcome outcome) {
        for (Rejection rejection : answer.rejected()) {
            outcome.refused().put(entries.get(rejection.index()).id(), text(rejection));
        }
        for (IncomingEntry entry : entries) {
            if (!outcome.refused().containsKey(entry.id())) {
                outcome.taken().add(entry.id());
                unconfirmed.add(entry.id());
            }
        }
        for (Iterator<UUID> oldest = unconfirmed.iterator(); unconfirmed.size() > UNCONFIRMED_MAX; ) {
            oldest.next();
            oldest.remove();
        }
    }

    /** As a request's answer says it, but for the index: the row is alone. */
    private static String text(Rejection rejection) {
        String field = rejection.field().isEmpty() ? "" : " (" + rejection.field() + ")";
        String text = (rejection.code() + field + ": " + rejection.message()).replace('\0', '\uFFFD');
        return text.length() <= ERROR_TEXT_MAX ? text : text.substring(0, ERROR_TEXT_MAX);
    }

    /** The rows' deletion is committed. */
    void deleted(Set<UUID> rows) {
        unconfirmed.removeAll(rows);
    }
}
