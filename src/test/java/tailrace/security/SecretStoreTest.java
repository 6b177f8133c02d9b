package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import tailrace.config.ConfigLoader;
import tailrace.config.TailraceConfig;

@DisabledOnOs(OS.WINDOWS)
class SecretStoreTest {
    private final Path data;

    SecretStoreTest(@TempDir Path dir) {
        data = dir.resolve("data");
    }

    private TailraceConfig config(Map<String, String> more) {
        Map<String, String> environment = new ConcurrentHashMap<>(more);
        environment.put("TAILRACE_DATA_DIR", data.toString());
        return ConfigLoader.load(environment, Optional.empty());
    }

    @Test
    void theConfiguredSecretIsUsedAndNothingWritten() throws Exception {
        String secret = "c".repeat(32);
        assertThat(SecretStore.resolve(config(Map.of("JWT_SECRET", secret))))
                .isEqualTo(new SecretStore.Found(new TailraceConfig.Secret(secret), SecretStore.Origin.CONFIGURED));
        assertThat(data).doesNotExist();
    }

    @Test
    void theFirstStartMakesOneThatLaterStartsKeep() throws Exception {
        SecretStore.Found first = SecretStore.resolve(config(Map.of()));
        SecretStore.Found second = SecretStore.resolve(config(Map.of()));

        assertThat(first.origin()).isEqualTo(SecretStore.Origin.CREATED);
        assertThat(first.generated()).isTrue();
        assertThat(first.secret().value()).hasSize(64);
        assertThat(second).isEqualTo(new SecretStore.Found(first.secret(), SecretStore.Origin.KEPT));
        assertThat(first.toString()).doesNotContain(first.secret().value());
    }

    @Test
    void nobodyElseCanReadIt() throws Exception {
        SecretStore.inDirectory(data);
        assertThat(Files.getPosixFilePermissions(data)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        Path file = data.resolve(SecretStore.FILE_NAME);
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        try (var files = Files.list(data)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void aSecretThatWasOpenedUpIsClosedAgain() throws Exception {
        SecretStore.inDirectory(data);
        Path file = data.resolve(SecretStore.FILE_NAME);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        SecretStore.inDirectory(data);
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void aDamagedSecretIsNotReplacedSilently() throws Exception {
        Files.createDirectories(data);
        Files.writeString(data.resolve(SecretStore.FILE_NAME), "short\n");
        assertThatThrownBy(() -> SecretStore.inDirectory(data))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("holds no key of 32 bytes; restore it, or remove it");
    }

    @Test
    void findMakesNone() throws Exception {
        assertThat(SecretStore.find(config(Map.of()))).isEmpty();
        assertThat(data).doesNotExist();
        SecretStore.inDirectory(data);
        assertThat(SecretStore.find(config(Map.of()))).isPresent();
    }

    @Test
    void twoStartsAtOnceGetTheSameSecret() throws Exception {
        int starts = 16;
        Set<String> secrets = ConcurrentHashMap.newKeySet();
        Set<Exception> failures = ConcurrentHashMap.newKeySet();
        CountDownLatch go = new CountDownLatch(1);
        ExecutorService pool = Executors.newFixedThreadPool(starts);
        for (int i = 0; i < starts; i++) {
            pool.execute(() -> {
                try {
                    go.await();
                    secrets.add(SecretStore.inDirectory(data).secret().value());
                } catch (IOException | InterruptedException e) {
                    failures.add(e);
                }
            });
        }
        go.countDown();
        pool.shutdown();
        assertThat(pool.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(failures).isEmpty();
        assertThat(secrets).hasSize(1);
    }
}
