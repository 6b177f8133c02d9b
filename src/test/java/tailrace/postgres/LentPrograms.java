package tailrace.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The programs of the embedded PostgreSQL, unpacked once for all tests of this JVM. Two seconds of a processor are saved
 * where the unpacking is not what is tested.
 */
public final class LentPrograms {
    private LentPrograms() {}

    private static final class Unpacked {
        static final Path PROGRAMS = unpack();

        private static Path unpack() {
            try {
                PostgresBinaries.privateDirectory(TestDatabase.EMBEDDED);
                return PostgresBinaries.unpack(TestDatabase.EMBEDDED).toAbsolutePath();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Puts a link to them where an embedded PostgreSQL of this data directory looks for its own. */
    public static void to(Path dataDir) {
        Path link = dataDir.resolve(Unpacked.PROGRAMS.getFileName());
        try {
            PostgresBinaries.privateDirectory(dataDir);
            if (!Files.exists(link)) {
                Files.createSymbolicLink(link, Unpacked.PROGRAMS);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
