package tailrace;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.GeneralCodingRules;
import io.vertx.core.VerticleBase;

/** The shape of the whole, as ARCHITECTURE.md draws it. A rule that is in the way is changed there first. */
@AnalyzeClasses(
        packages = {"tailrace", "verticles"},
        importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /** Top to bottom; each may use what stands below it as listed, and nothing else. */
    @ArchTest
    static final ArchRule dependenciesPointOneWay = Architectures.layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .withOptionalLayers(true)
            .layer("cli")
            .definedBy("tailrace.cli..")
            .layer("verticles")
            .definedBy("verticles..")
            .layer("http")
            .definedBy("tailrace.http..")
            .layer("export")
            .definedBy("tailrace.export..")
            .layer("diff")
            .definedBy("tailrace.diff..")
            .layer("live")
            .definedBy("tailrace.live..")
            .layer("query")
            .definedBy("tailrace.query..")
            .layer("ingest")
            .definedBy("tailrace.ingest..")
            .layer("postgres")
            .definedBy("tailrace.postgres..")
            .layer("redis")
            .definedBy("tailrace.redis..")
            .layer("summary")
            .definedBy("tailrace.summary..")
            .layer("stats")
            .definedBy("tailrace.stats..")
            .layer("journal")
            .definedBy("tailrace.journal..")
            .layer("degradation")
            .definedBy("tailrace.degradation..")
            .layer("security")
            .definedBy("tailrace.security..")
            .layer("bus")
            .definedBy("tailrace.bus..")
            .layer("metrics")
            .definedBy("tailrace.metrics..")
            .layer("config")
            .definedBy("tailrace.config..")
            .layer("model")
            .definedBy("tailrace.model..")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("verticles")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("http")
            .mayOnlyBeAccessedByLayers("cli", "verticles")
            .whereLayer("export")
            .mayOnlyBeAccessedByLayers("http")
            .whereLayer("diff")
            .mayOnlyBeAccessedByLayers("http")
            .whereLayer("live")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http")
            .whereLayer("query")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "live", "export", "diff")
            .whereLayer("ingest")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http")
            .whereLayer("postgres")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "live", "query")
            .whereLayer("redis")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "live", "query")
            .whereLayer("summary")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "query", "postgres")
            .whereLayer("stats")
            .mayOnlyBeAccessedByLayers("http", "query", "postgres", "summary")
            .whereLayer("journal")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "live", "query", "postgres", "redis", "summary")
            .whereLayer("degradation")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "journal")
            .whereLayer("security")
            .mayOnlyBeAccessedByLayers("cli", "verticles", "http", "live", "query", "postgres");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("(**)").namingSlices("$1").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule theModelIsValuesOnly = noClasses()
            .that()
            .resideInAPackage("tailrace.model..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..", "io.netty..", "java.nio.file..", "java.sql..", "java.net..");

    @ArchTest
    static final ArchRule theEngineOfTheJournalIsKnownToTheJournalAlone = noClasses()
            .that(are(outside("tailrace.journal..")))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.rocksdb..");

    @ArchTest
    static final ArchRule whatRunsIsAVerticleAndEndsWithIt = classes()
            .that()
            .resideInAPackage("verticles..")
            .and()
            .haveSimpleNameEndingWith("Verticle")
            .should()
            .beAssignableTo(VerticleBase.class)
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule verticlesLiveInTheirPackage = classes()
            .that()
            .areAssignableTo(VerticleBase.class)
            .should()
            .resideInAPackage("verticles..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule noStaticMutableState = fields().that()
            .areStatic()
            .should()
            .beFinal()
            .because("state has one owner, and a test can make that owner with new");

    @ArchTest
    static final ArchRule nothingBlocksByAccident = noClasses()
            .that(are(outside("tailrace.cli..")))
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .because("an event loop that sleeps serves nobody");

    @ArchTest
    static final ArchRule onlyTheCommandLinePrints =
            noClasses().that(are(outside("tailrace.cli.."))).should(GeneralCodingRules.ACCESS_STANDARD_STREAMS);

    @ArchTest
    static final ArchRule onlyTheCommandLineEndsTheProcess = noClasses()
            .that(are(outside("tailrace.cli..")))
            .should()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class);

    private static DescribedPredicate<JavaClass> outside(String packages) {
        return DescribedPredicate.not(resideInAnyPackage(packages));
    }
}
