package tailrace.security;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import tailrace.config.ConfigLoader;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Secret;

/**
 * Finds the key of the tokens: the configured one, else the data directory's, which is made where there is none. Does
 * file I/O; not for an event loop.
 */
public final class SecretStore {
    /** In the data directory; its text is the key, and can be given as {@code JWT_SECRET} elsewhere. */
    public static final String FILE_NAME = "jwt-secret";

    private static final int GENERATED_BYTES = 48;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    /** Where the key came from. */
    public enum Origin {
        CONFIGURED,
        /** In the data directory since an earlier start. */
        KEPT,
        /** Made just now. */
        CREATED
    }

    /** @param secret key of the tokens */
    public record Found(Secret secret, Origin origin) {
        /** Whether this server made it, so that nobody else can have minted a token yet. */
        public boolean generated() {
            return origin != Origin.CONFIGURED;
        }
    }

    private SecretStore() {}

    /**
     * The key to use. Two processes that start at once on the same directory get the same one.
     *
     * @throws IOException if the directory cannot be used or what it holds is no key
     */
    public static Found resolve(TailraceConfig config) throws IOException {
        if (config.security().jwtSecret().isPresent()) {
            return new Found(config.security().jwtSecret().get(), Origin.CONFIGURED);
        }
        return inDirectory(config.dataDir());
    }

    /**
     * The key to use if there is one already; makes none.
     *
     * @throws IOException if what the directory holds is no key
     */
    public static Optional<Found> find(TailraceConfig config) throws IOException {
        boolean there = config.security().jwtSecret().isPresent()
                || Files.exists(config.dataDir().resolve(FILE_NAME));
        return there ? Optional.of(resolve(config)) : Optional.empty();
    }

    static Found inDirectory(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        if (Files.exists(file)) {
            return new Found(read(file), Origin.KEPT);
        }
        boolean posix = posix(directory);
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory, permissions(posix, "rwx------"));
        }
        byte[] random = new byte[GENERATED_BYTES];
        new SecureRandom().nextBytes(random);
        String secret = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        try {
            publish(file, secret, posix);
        } catch (FileAlreadyExistsException e) {
            return new Found(read(file), Origin.KEPT);
        }
        return new Found(new Secret(secret), Origin.CREATED);
    }

    private static Secret read(Path file) throws IOException {
        if (posix(file) && !Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
            Files.setPosixFilePermissions(file, OWNER_ONLY);
        }
        String secret = Files.readString(file, StandardCharsets.UTF_8).strip();
        if (secret.getBytes(StandardCharsets.UTF_8).length < ConfigLoader.MIN_SECRET_BYTES) {
            throw new IOException(file + " holds no key of " + ConfigLoader.MIN_SECRET_BYTES
                    + " bytes; restore it, or remove it to get a new one (tokens made with the old one end then)");
        }
        return new Secret(secret);
    }

    /** All or nothing: written and synced under another name, then linked to its own, which fails if that exists. */
    private static void publish(Path file, String secret, boolean posix) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        Path temporary = Files.createTempFile(directory, FILE_NAME, ".tmp", permissions(posix, "rw-------"));
        try {
            Set<OpenOption> options = Set.of(StandardOpenOption.WRITE);
            try (FileChannel channel = FileChannel.open(temporary, options)) {
                ByteBuffer bytes = ByteBuffer.wrap((secret + "\n").getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            link(temporary, file);
        } finally {
            Files.deleteIfExists(temporary);
        }
        if (posix) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private static void link(Path temporary, Path file) throws IOException {
        try {
            Files.createLink(file, temporary);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (FileSystemException | UnsupportedOperationException e) {
            // No hard links here (some network and FAT volumes): a rename is atomic too, only the last of two wins.
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private static boolean posix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static FileAttribute<?>[] permissions(boolean posix, String text) {
        return posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text))}
                : new FileAttribute<?>[0];
    }
}
