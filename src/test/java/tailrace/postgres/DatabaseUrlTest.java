package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.pgclient.SslMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatabaseUrlTest {
    @Test
    void readsAllItsParts() {
        DatabaseUrl url = DatabaseUrl.parse(
                "postgresql://an%40user:p%2Bw+%3A%2F@[::1]:6543/my%20db?sslmode=verify-full&sslrootcert=/etc/ca.pem");

        assertThat(url.host()).isEqualTo("::1");
        assertThat(url.port()).isEqualTo(6543);
        assertThat(url.user()).isEqualTo("an@user");
        assertThat(url.password().value()).isEqualTo("p+w+:/");
        assertThat(url.database()).isEqualTo("my db");
        assertThat(url.sslMode()).isEqualTo(SslMode.VERIFY_FULL);
        assertThat(url.jdbcUrl())
                .isEqualTo("jdbc:postgresql://[::1]:6543/my%20db?ApplicationName=tailrace-migrations"
                        + "&sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem");
    }

    @Test
    void asksForTlsButGoesOnWithoutLikeLibpq() {
        DatabaseUrl url = DatabaseUrl.parse("postgres://u:secret@db.example.org/app");

        assertThat(url.port()).isEqualTo(5432);
        assertThat(url.sslMode()).isEqualTo(SslMode.PREFER);
        assertThat(url.toString()).doesNotContain("secret");
    }

    @ParameterizedTest
    @CsvSource({
        "mysql://u:secret@h/db, postgres://",
        "postgres://u:secret@h, a database",
        "postgres:///db, a host",
        "postgres://h/db, a user",
        "postgres://u:secret@h/db?sslmode=maybe, sslmode maybe",
        "postgres://u:secret@h/db?sslmod=require, sslmod is not known",
        "postgres://u:se cret@h/db, no URL",
    })
    void saysWhatIsWrongWithoutThePassword(String url, String says) {
        assertThatThrownBy(() -> DatabaseUrl.parse(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("DATABASE_URL")
                .hasMessageContaining(says)
                .hasMessageNotContaining("secret")
                .hasMessageNotContaining("se cret");
    }
}
