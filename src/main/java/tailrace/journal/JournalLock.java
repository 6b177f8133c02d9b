package tailrace.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Keeps every server from opening a journal while it is looked at. RocksDB locks the file {@code LOCK} of its directory;
 * this takes a shared lock on the same file, which the other side sees, changes nothing, and works on a file system that
 * is mounted to be read. To be closed before this process opens the journal itself: the system forgets all of a
 * process's locks on a file with the first that is closed.
 */
public final class JournalLock implements AutoCloseable {
    private final FileChannel channel;

    private JournalLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * @param directory of a journal
     * @return nothing if a process has the journal open
     * @throws JournalUnavailableException if there is no journal, or its lock file cannot be opened
     */
    public static Optional<JournalLock> take(Path directory) {
        if (!Files.exists(directory.resolve("CURRENT"))) {
            throw new JournalUnavailableException("There is no journal in " + directory
                    + ". Set TAILRACE_DATA_DIR to the data directory of the server that was used.");
        }
        try {
            FileChannel channel = FileChannel.open(directory.resolve("LOCK"), StandardOpenOption.READ);
            try {
                FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true);
                if (lock != null) {
                    return Optional.of(new JournalLock(channel));
                }
            } catch (OverlappingFileLockException e) {
                // this very process has it
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            channel.close();
            return Optional.empty();
        } catch (IOException e) {
            throw new JournalUnavailableException(
                    "The journal in " + directory + " cannot be locked (" + e + "). Run this as the server's user.", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new JournalUnavailableException("The journal's lock cannot be given back: " + e.getMessage(), e);
        }
    }
}
