package tailrace.postgres;

import io.vertx.sqlclient.Row;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;

/**
 * Entries on their way out of PostgreSQL, as NDJSON.gz: a line is the JSON that readers get, with the execution's id. A
 * file has its name only once it is whole and on the disk, and is never written over: what it would hold again is
 * recognised, anything else gets the next free name. Files are for their owner alone. Belongs to one thread.
 */
final class Archive {
    private static final String SUFFIX = ".ndjson.gz";
    private static final int BUFFER_BYTES = 64 << 10;
    /** Files of one name; more than a day brings by far. */
    private static final int NAMES_MAX = 10_000;

    private final Path directory;
    private final EntryCodec codec = new EntryCodec();
    private final EntryFields fields = new EntryFields();
    private final JsonWriter json = new JsonWriter();

    Archive(Path directory) {
        this.directory = directory;
    }

    /**
     * What was written.
     *
     * @param file null where there was no row
     * @param bytes of the file
     */
    record Written(@Nullable Path file, long rows, long bytes) {}

    /** Hands out rows with the columns of {@link RetentionSql#rows}. */
    @FunctionalInterface
    interface Source {
        void rows(BlockingSession.RowConsumer to) throws IOException;
    }

    /**
     * Writes all rows of a source; returns once they are on the disk under their name.
     *
     * @param name of the file, without its ending
     * @throws IOException if they are not; nothing of them is left then
     */
    Written write(String name, Source source) throws IOException {
        Files.createDirectories(directory);
        Path partial = directory.resolve(name + SUFFIX + ".partial");
        try {
            Files.deleteIfExists(partial); // of a run that was broken off
            long rows = fill(partial, source);
            if (rows == 0) {
                return new Written(null, 0, 0);
            }
            long bytes = Files.size(partial);
            return new Written(publish(partial, name), rows, bytes);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private long fill(Path partial, Source source) throws IOException {
        long[] rows = {0};
        try (FileChannel file = FileChannel.open(
                partial, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), owned(partial))) {
            OutputStream zip = new GZIPOutputStream(Channels.newOutputStream(file), BUFFER_BYTES);
            source.rows(row -> {
                line(row, zip);
                rows[0]++;
            });
            zip.close(); // and the file with it
        }
        try (FileChannel file = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            file.force(true);
        }
        return rows[0];
    }

    private void line(Row row, OutputStream to) throws IOException {
        Rows.entry(row, fields);
        LogEntry entry = new LogEntry(row.getLong("seq"), codec.encode(fields));
        json.reset();
        json.raw(EXECUTION_ID).string(row.getString("execution_id")).raw(',');
        to.write(json.array(), 0, json.length());
        byte[] members = entry.json();
        to.write(members, 1, members.length - 1);
        to.write('\n');
    }

    private Path publish(Path partial, String name) throws IOException {
        for (int number = 1; number <= NAMES_MAX; number++) {
            Path target = directory.resolve(number == 1 ? name + SUFFIX : name + "." + number + SUFFIX);
            if (Files.exists(target)) {
                if (Files.mismatch(partial, target) < 0) {
                    return target; // a run wrote it and was broken off before it could remove the rows
                }
            } else if (named(partial, target)) {
                try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
                    entries.force(true); // the name, too, has to survive a power cut
                }
                return target;
            }
        }
        throw new IOException("there are " + NAMES_MAX + " files of the name " + name + " in " + directory);
    }

    /** Whether the name was free. */
    private static boolean named(Path partial, Path target) throws IOException {
        try {
            // Unlike a rename, a link never takes the place of a file that came meanwhile.
            Files.createLink(target, partial);
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (UnsupportedOperationException | java.nio.file.FileSystemException e) {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE); // a file system without links
        }
        return true;
    }

    private static FileAttribute<?>[] owned(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    private static final byte[] EXECUTION_ID =
            "{\"execution_id\":".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
}
