package tailrace.live;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.model.ExecutionState;
import tailrace.query.WorkflowExecutions;

/**
 * Tells those who watch workflows which executions move in them: by the commits that are announced, and by the journal
 * where an announcement did not follow the one before. Belongs to its hub's event loop; costs nothing while nobody
 * watches.
 */
final class WorkflowHub {
    private static final Logger LOG = LoggerFactory.getLogger(WorkflowHub.class);

    private final LiveHub hub;
    private final WorkflowExecutions executions;
    private final Map<String, List<WorkflowMembers>> watchers = new HashMap<>();
    /** Up to here every commit was told. */
    private long position;

    private boolean polling;

    WorkflowHub(LiveHub hub, WorkflowExecutions executions) {
        this.hub = hub;
        this.executions = executions;
    }

    WorkflowExecutions executions() {
        return executions;
    }

    void add(WorkflowMembers watcher) {
        if (watchers.isEmpty()) {
            position = executions.position();
        }
        watchers.computeIfAbsent(watcher.workflowId(), id -> new ArrayList<>(1)).add(watcher);
    }

    void remove(WorkflowMembers watcher) {
        List<WorkflowMembers> left = watchers.get(watcher.workflowId());
        if (left != null && left.remove(watcher) && left.isEmpty()) {
            watchers.remove(watcher.workflowId());
        }
    }

    void onAppended(BusMessage.Appended appended) {
        if (watchers.isEmpty() || appended.runs().isEmpty()) {
            return;
        }
        for (BusMessage.Run run : appended.runs()) {
            tell(run.state());
        }
        if (appended.runs().get(0).state().lastPosition() <= position + 1) {
            position = Math.max(position, appended.lastPosition());
        }
    }

    private void tell(ExecutionState state) {
        String workflowId = state.workflowId();
        List<WorkflowMembers> interested = workflowId == null ? null : watchers.get(workflowId);
        if (interested != null) {
            List.copyOf(interested).forEach(watcher -> watcher.onChange(state));
        }
    }

    /** Looks for what was not announced. */
    void poll() {
        if (polling || watchers.isEmpty() || executions.position() <= position) {
            return;
        }
        polling = true;
        hub.then(executions.changedAfter(position, watchers.keySet()), read -> {
            polling = false;
            if (read.failed()) {
                LOG.debug("Cannot look for missed executions now", read.cause());
                return;
            }
            position = Math.max(position, read.result().position());
            read.result().executions().forEach(this::tell);
        });
    }
}
