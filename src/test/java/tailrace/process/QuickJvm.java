package tailrace.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import tailrace.postgres.TestDatabase;

/**
 * Options for JVMs that run the built jar for seconds, as most here do. As it comes, such a JVM spends most of its time
 * on loading classes and on the second compiler, whose work comes too late. So it does without that compiler, and maps
 * the classes from an archive that is made once for a jar, by whichever test process is the first to need it.
 */
final class QuickJvm {
    static final Path JAR =
            Path.of(System.getProperty("tailrace.jar", "target/tailrace.jar")).toAbsolutePath();

    private static final String NO_SECOND_COMPILER = "-XX:TieredStopAtLevel=1";

    private QuickJvm() {}

    /** For what lives for seconds. */
    static List<String> shortLived() {
        return List.of(NO_SECOND_COMPILER, Archive.OPTION);
    }

    /** For servers under load: a quick start, and both compilers. */
    static List<String> underLoad() {
        return List.of(Archive.OPTION);
    }

    /** The classes of the jar; the JVM goes without where the archive does not fit it. */
    private static final class Archive {
        static final String OPTION = "-XX:SharedArchiveFile=" + made();

        private static Path made() {
            Path archive = JAR.resolveSibling("tailrace-classes.jsa");
            try (FileChannel lockFile = FileChannel.open(
                    JAR.resolveSibling("tailrace-classes.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lockFile.lock(); // until it is closed
                if (!isCurrent(archive)) {
                    make(archive);
                }
                return archive;
            } catch (Exception e) {
                throw new IllegalStateException("the archive of classes cannot be made", e);
            }
        }

        private static boolean isCurrent(Path archive) throws IOException {
            return Files.exists(archive)
                    && Files.getLastModifiedTime(archive).compareTo(Files.getLastModifiedTime(JAR)) > 0;
        }

        /** By a server that did a little of everything and then ended. */
        private static void make(Path archive) throws Exception {
            Path directory = Files.createTempDirectory("tailrace-classes");
            Path partial = directory.resolve("classes.jsa");
            try (TestDatabase database = TestDatabase.empty();
                    ServerProcess server = ServerProcess.in(directory.resolve("data"))
                            .asShipped()
                            .jvm("-XX:ArchiveClassesAtExit=" + partial)
                            .env("DATABASE_URL", database.urlText())
                            .start()) {
                Api api = new Api(server.base(), ServerProcess.serviceToken());
                api.put("/v2/executions/e", "{\"status\":\"RUNNING\"}");
                api.post(
                        "/v2/executions/e/logs", "[{\"message\":\"one\"},{\"message\":\"two\",\"is_milestone\":true}]");
                api.put("/v2/executions/e", "{\"status\":\"SUCCEEDED\"}");
                api.history("e");
                try (Api.Stream stream = api.stream("e", "?follow=false")) {
                    stream.next();
                }
                server.terminate();
                Files.move(partial, archive, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                deleteTree(directory);
            }
        }

        private static void deleteTree(Path directory) throws IOException {
            try (var files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
