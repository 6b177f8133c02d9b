package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** A full disk: a clear 503, nothing lost, and on it goes once there is room. Needs the right to mount a tmpfs. */
class DiskFullIT {
    private static boolean run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    private static boolean mount(Path directory) throws Exception {
        Files.createDirectories(directory);
        try {
            return run("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", directory.toString());
        } catch (IOException e) {
            return false; // no such program
        }
    }

    private void fillAndMakeRoom(Path temp, String minFreeBytes) throws Exception {
        Path disk = temp.resolve("disk");
        assumeTrue(mount(disk), "a small tmpfs cannot be mounted here, which needs root");
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(disk.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("JOURNAL_MIN_FREE_BYTES", minFreeBytes)
                        .start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            Ledger ledger = new Ledger();
            post(api, ledger, 0);

            // When the disk is filled by something else
            Path ballast = disk.resolve("ballast");
            fill(ballast, minFreeBytes.equals("0") ? 0 : 4 << 20);
            int[] number = {0};
            Await.until("a refusal", () -> post(api, ledger, ++number[0]) == 503);

            if (!minFreeBytes.equals("0")) {
                requireThatItSaysSo(api);
            }

            // And it goes on by itself once there is room, with nothing lost
            Files.delete(ballast);
            Await.until("room", () -> post(api, ledger, ++number[0]) == 202);
            Await.until("health", () -> api.get("/health/ready").status() == 200);
            ledger.check("e", api.history("e"));
            ServerProbe probe = new ServerProbe(server);
            Await.until("level 1", () -> probe.level() == 1);
            server.kill();
            server.start();
            ledger.check("e", new Api(server.base(), ServerProcess.serviceToken()).history("e"));
        } finally {
            assertThat(run("umount", disk.toString()) || run("umount", "-l", disk.toString()))
                    .isTrue();
        }
    }

    private static void fill(Path ballast, long leftBytes) throws IOException {
        try (var out = Files.newOutputStream(ballast)) {
            byte[] piece = new byte[256 << 10];
            while (Files.getFileStore(ballast).getUsableSpace() >= leftBytes) {
                out.write(piece);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space");
        }
    }

    /** Where no room is kept free the journal, opened again, may find some for a moment: there is no lasting state. */
    private static void requireThatItSaysSo(Api api) throws Exception {
        Api.Answer refused = api.post("/v2/executions/e/logs", "[{\"message\":\"refused\"}]");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.response().headers().firstValue("Retry-After")).isPresent();
        assertThat(refused.body().get("detail").asText()).contains("MiB left").contains("Make room");
        Api.Answer health = api.get("/health");
        assertThat(health.status()).isEqualTo(503);
        assertThat(health.body().get("journal").get("writable").asBoolean()).isFalse();
        assertThat(health.body().get("journal").get("detail").asText()).contains("Make room");
        assertThat(api.get("/health/ready").status()).isEqualTo(503);
    }

    private static int post(Api api, Ledger ledger, int number) throws Exception {
        String text = "message " + number + " " + "x".repeat(8_000);
        ledger.sent(List.of(text));
        Api.Answer answer = api.post("/v2/executions/e/logs", "[{\"message\":\"" + text + "\"}]");
        if (answer.status() == 202) {
            ledger.answered(answer.body(), java.util.Map.of("e", List.of(text)));
        }
        return answer.status();
    }

    @Test
    void nothingIsTakenBelowTheRoomThatIsKeptFree(@TempDir Path temp) throws Exception {
        fillAndMakeRoom(temp, "8MiB");
    }

    @Test
    void aWriteThatFailsIsNotAcknowledgedAndLosesNothing(@TempDir Path temp) throws Exception {
        fillAndMakeRoom(temp, "0");
    }
}
